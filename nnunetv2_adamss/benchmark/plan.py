"""Plan the steps that the methods of a benchmark need, in an order in which they can be done."""

from collections.abc import Sequence

from nnunetv2_adamss.benchmark.fold_steps import FoldSteps
from nnunetv2_adamss.benchmark.folders import BenchmarkFolders
from nnunetv2_adamss.benchmark.new_patient_steps import NewPatientSteps
from nnunetv2_adamss.benchmark.present_cohort import PresentCohort
from nnunetv2_adamss.benchmark.step_book import StepBook
from nnunetv2_adamss.benchmark.steps import Step
from nnunetv2_adamss.methods.method import Method, Trainer


def plan_steps(
    folders: BenchmarkFolders, methods: Sequence[Method], cohort: PresentCohort, device: str
) -> list[Step]:
    """Return all steps, each after those that it needs; a step that several methods need occurs once.

    Args:
        folders: of the benchmark.
        methods: that are compared.
        cohort: the patients of trainings and fits; some steps need all folds of its split.
        device: for ``-device``.
    """
    book = StepBook(folders, device)
    for seed in folders.settings.seeds:
        of_folds = FoldSteps(book, cohort, seed)
        results = [
            of_folds.predict_validation(method, fold) for fold in folders.settings.folds for method in methods
        ]
        if folders.is_first(seed):
            results += _explanations(of_folds, methods)
            if folders.settings.test:
                of_test = NewPatientSteps(of_folds, methods)
                results += filter(None, map(of_test.predict, methods))
        book.results.update(step.name for step in results)
    return book.steps()


def explained_network(methods: Sequence[Method]) -> tuple[Method, Trainer] | None:
    """Return the method whose fusion weights are Table IV; None if there is none."""
    names = ("adamss", "adamss_no_radiomics", "two_stage", "data_driven")
    found = [method for name in names for method in methods if method.name == name]
    return next(((method, method.trainer) for method in found if method.trainer), None)


def _explanations(of_folds: FoldSteps, methods: Sequence[Method]) -> list[Step]:
    explained = explained_network(methods)
    return [of_folds.explain(*explained, fold) for fold in of_folds.book.settings.folds] if explained else []
