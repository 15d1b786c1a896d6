from collections.abc import Collection
from typing import Any

from numpy.typing import NDArray

from ampeld.alert.schema import AvroType

class Reader: ...

def reader(avro_type: AvroType, dropped: Collection[str] = ..., *, finite: bool = ...) -> Reader: ...
def decode(reader: Reader, data: NDArray[Any], at: int) -> Any: ...
