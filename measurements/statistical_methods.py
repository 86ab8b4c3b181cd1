"""Lasso-CoxPH and ICARE on real tables of patients, against lifelines' ridge Cox model on the same columns.

A random partition into thirds gives three splits: each third is predicted by models of the other two, and pairs of
patients are compared within thirds. The first partition has intervals by bootstrap of its patients; the others show
how much the partition matters. For Lasso-CoxPH all columns are features to select from. For ICARE they are clinical
indicators, which every estimator considers: of features it draws about one per cent, as there are thousands in
radiomics.

Lasso-CoxPH is fitted twice: with the package's rule, one feature for every ten training events, and without a limit.

Then outcomes are permuted among patients, by 20 seeds: a method that still ranks the left-out third has seen it.

TABLES is a folder with both public tables, named as below.

    python measurements/statistical_methods.py TABLES -o measurements/results/statistical_methods.json
"""

import argparse
import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd
from lifelines import CoxPHFitter
from numpy.typing import NDArray

from nnunetv2_adamss.common.files import write_atomically
from nnunetv2_adamss.methods.statistical.fit import fit_fold
from nnunetv2_adamss.methods.table import STATISTICAL
from nnunetv2_adamss.metrics.concordance import cross_validated_c, harrell_c
from nnunetv2_adamss.metrics.paired_comparison import compare
from nnunetv2_adamss.metrics.resampling import ResampledCohort
from nnunetv2_adamss.survival.cohort.description import SurvivalDescription
from nnunetv2_adamss.survival.cohort.survival_table import SurvivalTable
from nnunetv2_adamss.survival.config import SurvivalConfig
from nnunetv2_adamss.survival.covariates.covariate_tables import CovariateTables
from nnunetv2_adamss.survival.fold import SurvivalFold
from nnunetv2_adamss.survival.nnunet_data.nnunet_fold import FoldSplit

N_THIRDS = 3
# The size of cohorts with PET/CT, and of the smallest table.
MAX_PATIENTS = 300
RIDGE, NO_LIMIT = "ridge Cox", "lasso_cox, no limit"
# The compared fits: a method, and settings other than its own.
FITS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "lasso_cox": ("lasso_cox", {}),
    NO_LIMIT: ("lasso_cox", {"max_features": 1000}),
    "icare": ("icare", {}),
}


@dataclass(frozen=True, eq=False)
class Patients:
    """Real patients: columns ``(n_cases, n_columns)``, NaN where missing; event and time ``(n_cases,)``."""

    columns: pd.DataFrame
    event: NDArray[np.bool_]
    time: NDArray[np.float64]

    @classmethod
    def of(cls, columns: pd.DataFrame, event: pd.Series, time: pd.Series) -> "Patients":
        """Take patients from a table's columns; large tables are sampled."""
        columns = columns.set_axis([f"case_{row:05d}" for row in range(len(columns))]).astype(float)
        chosen = np.random.default_rng(0).permutation(len(columns))[:MAX_PATIENTS]
        return cls(columns.iloc[chosen], event.to_numpy(bool)[chosen], time.to_numpy(float)[chosen])

    def shuffled(self, seed: int) -> "Patients":
        """Return the same patients with the outcomes of others."""
        order = np.random.default_rng(seed).permutation(len(self.time))
        return replace(self, event=self.event[order], time=self.time[order])


def head_and_neck(tables: Path) -> Patients:
    """Read patients of four hospitals (Vallieres et al. 2017); death."""
    table = pd.read_csv(tables / "hn_petct_vallieres2017_clinical.csv")
    numbers = table[["Age", "T_stage", "N_stage", "TNM_stage", "HPV"]]
    sites = pd.get_dummies(table["site"].where(table["site"] != "[]"), prefix="site")
    return Patients.of(numbers.join(sites), table["event_Death"], table["time_Death"])


def radcure(tables: Path) -> Patients:
    """Read head and neck cancers of one hospital (RADCURE); data from before treatment; death."""
    table = pd.read_csv(tables / "RADCURE_Clinical_v04_20241219.csv.gz")
    numbers = pd.DataFrame({
        "age": table["Age"],
        "male": table["Sex"] == "Male",
        "pack_years": pd.to_numeric(table["Smoking PY"], errors="coerce"),
        "ecog": table["ECOG PS"].str.extract(r"(\d)")[0],
        "t_stage": table["T"].str.extract(r"(\d)")[0],
        "n_stage": table["N"].str.extract(r"(\d)")[0],
        "stage": table["Stage"].str.extract(r"^(0|IV|I+)")[0].map({"0": 0, "I": 1, "II": 2, "III": 3, "IV": 4}),
        "hpv": table["HPV"].map({"Yes, positive": 1, "Yes, Negative": 0}),
    })  # fmt: skip
    categories = pd.get_dummies(pd.DataFrame({
        "smoking": table["Smoking Status"], "site": table["Ds Site"].str.casefold()
    }))  # fmt: skip
    return Patients.of(numbers.join(categories), table["Status"] == "Dead", table["Length FU"])


TABLES: Mapping[str, Callable[[Path], Patients]] = {"head and neck": head_and_neck, "RADCURE": radcure}


def thirds(n_cases: int, seed: int) -> NDArray[np.intp]:
    """Draw the third of each patient, ``(n_cases,)``."""
    return np.random.default_rng(seed).permutation(n_cases) % N_THIRDS


def method_risk(
    name: str, patients: Patients, train: NDArray[np.bool_], test: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Predict test patients by one of ``FITS``, fitted on training patients as by ``adamss_fit_statistical``."""
    method, settings = FITS[name]
    case_ids = patients.columns.index
    outcomes = pd.DataFrame({"time": patients.time, "event": patients.event}, index=case_ids)
    clinical, features = outcomes[[]], {"columns": patients.columns}
    if method == "icare":
        clinical, features = patients.columns, {}
    table = SurvivalTable(outcomes, clinical, SurvivalDescription(), [], Path("survival.csv"))
    tables = CovariateTables.gather(table, None, features, STATISTICAL[method].statistical_fit.covariate_use)
    split = FoldSplit(list(case_ids[train]), list(case_ids[test]))
    fold = SurvivalFold.prepare(
        SurvivalConfig.from_dict({**STATISTICAL[method].statistical_fit.settings, **settings}),
        table,
        split,
        tables,
    )
    nothing = pd.DataFrame(index=case_ids)
    fitted = fit_fold(STATISTICAL[method], fold, table, tables, nothing)
    return fitted.risk_score(tables, split.validation, nothing.loc[split.validation])


def ridge_cox_risk(
    patients: Patients, train: NDArray[np.bool_], test: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Predict test patients by lifelines' ridge Cox model, with means for missing values."""
    columns = patients.columns.fillna(patients.columns[train].mean())
    columns = columns.loc[:, columns[train].std() > 0]
    known = columns[train].assign(event=patients.event[train], time=patients.time[train])
    cox = CoxPHFitter(penalizer=0.1).fit(known, "time", "event")
    return cox.predict_log_partial_hazard(columns[test]).to_numpy()


def out_of_third_risks(patients: Patients, third: NDArray[np.intp]) -> dict[str, NDArray[np.float64]]:
    """Predict every patient by each method and the ridge Cox model, fitted on the other two thirds."""
    risks = {name: np.empty(len(third)) for name in (*FITS, RIDGE)}
    for number in range(N_THIRDS):
        train, test = third != number, third == number
        for name, risk in risks.items():
            if name == RIDGE:
                risk[test] = ridge_cox_risk(patients, train, test)
            else:
                risk[test] = method_risk(name, patients, train, test)
    return risks


def shuffled_c(method: str, patients: Patients, n_seeds: int) -> tuple[float, float]:
    """Return the mean C-index of left-out thirds over shuffled outcomes, and its standard error."""
    scores = []
    for seed in range(n_seeds):
        others, test = patients.shuffled(seed), thirds(len(patients.time), seed) == 0
        risk = method_risk(method, others, ~test, test)
        scores.append(harrell_c(risk, others.event[test], others.time[test]).c_index)
    return float(np.mean(scores)), float(np.std(scores, ddof=1) / np.sqrt(n_seeds))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("tables", type=Path, help="folder of both files")
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--partitions", type=int, default=3, help="(default: %(default)s)")
    parser.add_argument("--shuffles", type=int, default=20, help="(default: %(default)s)")
    args = parser.parse_args()
    logging.getLogger("nnunetv2_adamss").setLevel(
        logging.ERROR
    )  # messages on imputed or dropped values in every fit
    results = {}
    for name, read in TABLES.items():
        results[name] = study(read(args.tables), args.partitions, args.shuffles)
        print_results(name, results[name])
        args.output.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(args.output, json.dumps(results, indent=1) + "\n")


def study(patients: Patients, n_partitions: int, n_shuffles: int) -> dict[str, Any]:
    """Compute all figures of one table."""
    start = perf_counter()
    rows = []
    for seed in range(n_partitions):
        third = thirds(len(patients.time), seed)
        cohort = ResampledCohort(patients.event, patients.time, third)
        risks = out_of_third_risks(patients, third)
        rows.append({name: figures(risk, risks[RIDGE], cohort) for name, risk in risks.items()})
    shuffled = {
        name: dict(zip(("mean", "standard_error"), shuffled_c(name, patients, n_shuffles), strict=True))
        for name in rows[0]
        if name != RIDGE
    }
    return {
        "patients": len(patients.time),
        "events": int(patients.event.sum()),
        "columns": patients.columns.shape[1],
        "partitions": rows,
        "shuffled": shuffled,
        "seconds": round(perf_counter() - start, 1),
    }


def figures(risk: NDArray[np.float64], ridge: NDArray[np.float64], cohort: ResampledCohort) -> dict[str, Any]:
    """Return the C-index within thirds, and the difference to the ridge Cox model, each with its interval."""
    if risk is ridge:
        return {"c_index": asdict(cross_validated_c(risk, cohort).pooled)}
    comparison = compare(risk, ridge, cohort)
    return {"c_index": asdict(comparison.first), "less_ridge": asdict(comparison.difference)}


def print_results(name: str, results: Mapping[str, Any]) -> None:
    print(
        f"\n{name}: {results['patients']} patients, {results['events']} events, {results['columns']} columns, "
        f"{results['seconds']:.0f} s"
    )
    first = results["partitions"][0]
    for method, of_method in first.items():
        c_indices = [row[method]["c_index"]["value"] for row in results["partitions"]]
        line = f"{method:20s} {shown(of_method['c_index'])}  partitions {np.round(c_indices, 3)}"
        if method != RIDGE:
            shuffled = results["shuffled"][method]
            line += (
                f"  less ridge {shown(of_method['less_ridge'])}"
                f"  shuffled {shuffled['mean']:.3f} ({shuffled['standard_error']:.3f})"
            )
        print(line, flush=True)


def shown(estimate: Mapping[str, Any]) -> str:
    low, high = estimate["interval"]
    return f"{estimate['value']:.3f} [{low:.3f}, {high:.3f}]"


if __name__ == "__main__":
    main()
