"""The messages of ``Proto/`` as protobuf classes.

The package carries the compiled descriptors (``turbine_v1.desc``, written by
``Proto/generate.sh``) and makes the classes from them when it is imported, so it works with any
protobuf runtime and needs no compiler.
"""

from importlib import resources

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

PROTOCOL_VERSION = 1
_PACKAGE = "turbine.v1"


def _load():
    pool = descriptor_pool.DescriptorPool()
    data = resources.files(__package__).joinpath("turbine_v1.desc").read_bytes()
    waiting = list(descriptor_pb2.FileDescriptorSet.FromString(data).file)
    added = set()
    while waiting:
        ready = [file for file in waiting if added.issuperset(file.dependency)]
        if not ready:
            raise ImportError("turbine_v1.desc lacks a file that it depends on")
        for file in ready:
            pool.AddSerializedFile(file.SerializeToString())
            added.add(file.name)
            waiting.remove(file)
    messages, enums = {}, {}
    for name in added:
        file = pool.FindFileByName(name)
        for message in file.message_types_by_name.values():
            messages[message.name] = message_factory.GetMessageClass(message)
        enums.update(file.enum_types_by_name)
    return messages, enums


MESSAGES, ENUMS = _load()

ClientMessage = MESSAGES["ClientMessage"]
ServerMessage = MESSAGES["ServerMessage"]


def number_of(enum: str, value: str) -> int:
    """The number of an enum's value by its short name: ``("Priority", "high")``."""
    known = {_short(enum, entry.name): entry.number for entry in ENUMS[enum].values}
    if value not in known:
        raise ValueError(f"{value!r} is none of {', '.join(sorted(known))}")
    return known[value]


def name_of(enum: str, number: int, fallback: str = "unspecified") -> str:
    """The short name of an enum's value; the fallback for one of a later version."""
    entry = ENUMS[enum].values_by_number.get(number)
    return _short(enum, entry.name) if entry else fallback


def _short(enum: str, name: str) -> str:
    prefix = "".join("_" + c if c.isupper() else c.upper() for c in enum).lstrip("_") + "_"
    return name.removeprefix(prefix).lower()
