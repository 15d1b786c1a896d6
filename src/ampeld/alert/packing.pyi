from collections.abc import Collection
from typing import Any

from numpy.typing import NDArray

from ampeld.alert.schema import AvroType

class Packer: ...

def packer(avro_type: AvroType, dropped: Collection[str] = ...) -> Packer: ...
def pack(packer: Packer, data: NDArray[Any], at: int) -> bytes: ...
