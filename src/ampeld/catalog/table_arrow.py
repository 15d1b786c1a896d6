"""From the columns of Apache Arrow, in which Parquet and CSV arrive, to numpy."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ampeld.catalog.meta import Kind
from ampeld.catalog.table import Values, text_values


def kind_of(dtype: pa.DataType) -> Kind | None:
    """Return what a type is for a catalogue; None when it holds what a catalogue cannot."""
    if pa.types.is_dictionary(dtype):
        return kind_of(dtype.value_type)
    if pa.types.is_floating(dtype) or pa.types.is_decimal(dtype):
        return "float"
    if pa.types.is_integer(dtype):
        return "int"
    if pa.types.is_boolean(dtype):
        return "bool"
    if pa.types.is_string(dtype) or pa.types.is_large_string(dtype) or pa.types.is_temporal(dtype):
        return "text"
    return None


def values_of(array: pa.ChunkedArray | pa.Array) -> Values:
    """Return a column's rows; times become text."""
    if pa.types.is_dictionary(array.type):
        array = array.cast(array.type.value_type)
    if kind_of(array.type) == "text":
        return text_values(array.cast(pa.string()).to_pylist())
    if kind_of(array.type) == "float":
        if pa.types.is_decimal(array.type) or pa.types.is_float16(array.type):
            array = array.cast(pa.float64())
        return Values(np.asarray(array.to_numpy(zero_copy_only=False)))
    if not array.null_count:
        return Values(np.asarray(array.to_numpy(zero_copy_only=False)))
    missing = np.asarray(pc.is_null(array).to_numpy(zero_copy_only=False), dtype=np.bool_)
    nothing = pa.scalar(0, pa.int8()).cast(array.type)
    return Values(np.asarray(pc.fill_null(array, nothing).to_numpy(zero_copy_only=False)), missing)
