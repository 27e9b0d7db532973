"""Public data sets as holdings, recognised by their files in the folder given with --data. None of them ships with this package.

- `default_credit_hetero_guest.csv` and `…_host.csv`: default of credit card clients (I.-C. Yeh, UCI Machine Learning Repository
  2009), standardised and cut in two columns by the FATE project: bank and payment partner.
- `fraud_oracle.csv`: claims on car insurance (the vehicle claim fraud set on Kaggle): insurer, and police with garage.
- `SBAcase*.csv`: loans guaranteed by the U.S. Small Business Administration (M. Li, A. Mickel, S. Taylor, Journal of Statistics
  Education 2018): bank, tax office and registry.

Columns of words become one column for each word but the first that a hundredth of the rows have; the rest are left out. A missing
number becomes the column's median.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from unseen.scenes.partition import Holding, read

_RARE = 0.01

_CLAIM = [
    "PolicyType",
    "VehicleCategory",
    "VehiclePrice",
    "Deductible",
    "DriverRating",
    "PastNumberOfClaims",
    "AgeOfVehicle",
    "AgeOfPolicyHolder",
    "AgentType",
    "NumberOfCars",
    "BasePolicy",
    "Sex",
    "MaritalStatus",
    "Age",
    "AddressChange_Claim",
    "NumberOfSuppliments",
]
_ACCIDENT = ["AccidentArea", "Fault", "PoliceReportFiled", "WitnessPresent", "Month", "DayOfWeek", "Make"]
_LOAN = ["Term", "GrAppv", "DisbursementGross", "SBA_Appv", "RevLineCr", "RealEstate", "Portion", "LowDoc"]
_TAX = ["NoEmp", "CreateJob", "RetainedJob", "Recession"]
_REGISTER = ["NAICS", "NewExist", "UrbanRural", "City"]


def known(folder: Path) -> tuple[Holding, ...]:
    """The data set in the folder as holdings, that with the label first; empty where it is none of these."""
    for pattern, make in _KNOWN.items():
        found = sorted(Path(folder).glob(pattern))
        if found:
            return make(found[0])
    return ()


def _default_credit(path: Path) -> tuple[Holding, ...]:
    host = read(path.with_name(path.name.replace("guest", "host")))
    return Holding("bank", "clients", read(path), "id", "y"), Holding(
        "payments", "payments", host, "id", None
    )


def _vehicle_fraud(path: Path) -> tuple[Holding, ...]:
    table = _once(read(path), "PolicyNumber")
    key, label = table.column("PolicyNumber"), table.column("FraudFound_P")
    return (
        _holding("insurer", "claims", "policy", key, table, _CLAIM, label),
        _holding("police", "accidents", "policy", key, table, _ACCIDENT),
    )


def _small_business(path: Path) -> tuple[Holding, ...]:
    table = _once(read(path), "LoanNr_ChkDgt")
    key, label = table.column("LoanNr_ChkDgt"), table.column("Default")
    words = table.column("NAICS").cast(pa.string()), table.column("UrbanRural").cast(pa.string())
    for name, column in zip(("NAICS", "UrbanRural"), words, strict=True):
        table = table.set_column(table.column_names.index(name), name, column)
    return (
        _holding("bank", "loans", "loan", key, table, _LOAN, label),
        _holding("tax", "returns", "loan", key, table, _TAX),
        _holding("registry", "register", "loan", key, table, _REGISTER),
    )


_KNOWN: dict[str, Callable[[Path], tuple[Holding, ...]]] = {
    "*credit_hetero_guest.csv": _default_credit,
    "fraud_oracle.csv": _vehicle_fraud,
    "SBAcase*.csv": _small_business,
}


def _holding(
    party: str,
    asset: str,
    key: str,
    keys: pa.ChunkedArray,
    table: pa.Table,
    names: Sequence[str],
    label: pa.ChunkedArray | None = None,
) -> Holding:
    columns = {key: keys} if label is None else {key: keys, "label": label}
    for name in names:
        column = table.column(name)
        columns |= _words(name, column) if pa.types.is_string(column.type) else {name: _numbers(column)}
    return Holding(party, asset, pa.table(columns), key, None if label is None else "label")


def _numbers(column: pa.ChunkedArray) -> pa.Array:
    """As float64; where one is missing, the median."""
    plain = column.cast(pa.float64())
    return pc.fill_null(plain, pc.quantile(plain, 0.5)[0])


def _words(name: str, column: pa.ChunkedArray) -> dict[str, pa.Array]:
    values = np.array([str(value) for value in column.to_pylist()])
    found, counts = np.unique(values, return_counts=True)
    common = found[counts >= _RARE * len(values)]
    return {f"{name}={word or 'none'}": pa.array((values == word).astype(np.int64)) for word in common[1:]}


def _once(table: pa.Table, key: str) -> pa.Table:
    """The first row of each key."""
    keys: NDArray[np.str_] = np.array([str(value) for value in table.column(key).to_pylist()])
    _, first = np.unique(keys, return_index=True)
    kept = table.take(pa.array(np.sort(first)))
    return kept.set_column(kept.column_names.index(key), key, pc.cast(kept.column(key), pa.string()))
