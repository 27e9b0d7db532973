from __future__ import annotations

from unseen.cli.figures import Section, facts, sections


def test_what_fits_on_a_line_is_a_fact_and_all_else_a_table() -> None:
    meta = {
        "auc": 0.123456789,
        "kept": ["a", 0.1],
        "empty": {},
        "long": list(range(21)),
        "bins": {"a": [{"woe": 1.0}]},
    }
    assert facts(meta) == [("auc", "0.123457"), ("kept", ("a", "0.1"))]
    assert sections(meta) == [Section("bins.a", ("woe",), (("1",),))]


def test_columns_that_were_described() -> None:
    described = {"columns": {"age": {"mean": 2.0, "quantiles": {"0.5": 1.5}}, "void": {"mean": None}}}
    (found,) = sections(described)
    assert found.columns == ("", "mean", "quantiles 0.5")
    assert found.rows == (("age", "2", "1.5"), ("void", None, ""))
    (told,) = sections({"told": {"bank": described["columns"]}})
    assert (told.title, told.rows) == ("told.bank", found.rows)


def test_coefficients_stand_beside_the_names_of_their_columns() -> None:
    known = {"coefficients": [1.0, 2.0], "p_values": [0.5, 1e-9], "intercept": [-3.0]}
    assert sections({"columns": ["x", "y"], "known": known}) == [
        Section("known", ("column", "coefficients", "p_values"), (("x", "1", "0.5"), ("y", "2", "1e-09"))),
        Section("known.intercept", ("intercept",), (("-3",),)),
    ]
    assert sections({"columns": ["x"], "known": {"gain": [1.0], "gain of b": [2.0], "losses": [0.5]}}) == [
        Section("known", ("column", "gain"), (("x", "1"),)),
        Section("known.gain of b", ("gain of b",), (("2",),)),
        Section("known.losses", ("losses",), (("0.5",),)),
    ]


def test_correlations_are_a_matrix_with_names() -> None:
    assert sections({"of": [["bank", "x"], ["tel", "y"]], "correlations": [[1.0, 0.5], [0.5, 1.0]]}) == [
        Section("correlations", ("", "bank.x", "tel.y"), (("bank.x", "1", "0.5"), ("tel.y", "0.5", "1")))
    ]
    assert sections({"matrix": [[1, 2], [3, 4]]}) == [Section("matrix", ("1", "2"), ((1, 2), (3, 4)))]


def test_why_columns_were_left_out() -> None:
    assert sections({"left_out": {"void": "does not vary"}}) == [
        Section("left_out", ("", ""), (("void", "does not vary"),))
    ]
