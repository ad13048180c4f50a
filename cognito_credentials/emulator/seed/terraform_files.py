"""
Terraform's and OpenTofu's files in, their resources out, each with the values that are known.

- ``terraform.tfstate`` of version 4, and what ``terraform state pull`` prints
- ``terraform show -json`` of a state, and of a plan: `terraform_plan` fills in what a plan does not know yet

Source: https://developer.hashicorp.com/terraform/internals/json-format and, for the state, which has no
documentation, https://github.com/hashicorp/terraform/blob/main/internal/states/statefile/version4.go
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from cognito_credentials.emulator.seed.entry import SeedError

_STATE_VERSION = 4
_MOST_DEPTH = 60


@dataclass
class Resource:
    """
    One resource, or one instance of a resource with ``count`` or ``for_each``.

    Attributes:
        module: The address of its module, such as ``module.auth["eu"]``; empty for the root module.
        name: The name in the code.
        index: Its key of ``count`` or ``for_each``.
        values: The attributes that are known.
        unknown: True for each attribute that a plan does not know yet, at its place.
    """

    module: str
    type: str
    name: str
    index: int | str | None
    values: dict[str, Any]
    is_data: bool = False
    unknown: Mapping[str, Any] = field(default_factory=dict)

    @property
    def address(self) -> str:
        """The address as Terraform writes it."""
        index = (
            ""
            if self.index is None
            else f'["{self.index}"]'
            if isinstance(self.index, str)
            else f"[{self.index}]"
        )
        return f"{f'{self.module}.' if self.module else ''}{self.type}.{self.name}{index}"


@dataclass
class TerraformFile:
    """
    What a file describes.

    Attributes:
        outputs: The outputs that are known and not sensitive.
        hidden: The names of the other outputs, each with the reason.
        configuration: What the code of a plan names; None for a state.
    """

    resources: list[Resource]
    outputs: dict[str, Any] = field(default_factory=dict)
    hidden: dict[str, str] = field(default_factory=dict)
    configuration: Mapping[str, Any] | None = None


def read_file(path: str, body: Mapping[str, Any]) -> TerraformFile | None:
    """
    The resources in the file; None if it is none of Terraform's.

    Raises:
        SeedError: It is of another version, or something in it has the wrong type.
    """
    return _Reader(path).read(body)


class _Reader:
    def __init__(self, path: str) -> None:
        self._path = path

    def read(self, body: Mapping[str, Any]) -> TerraformFile | None:
        if "format_version" in body:
            if str(body["format_version"]).partition(".")[0] not in ("0", "1"):
                raise self._wrong("format_version", f"{body['format_version']!r} is not known; expected 1.x")
            return self._shown(body)
        if "version" in body and ("lineage" in body or "terraform_version" in body):
            if body["version"] != _STATE_VERSION:
                raise self._wrong("version", "expected 4, which Terraform writes since 0.12: run apply")
            return self._state(body)
        return None

    def _state(self, body: Mapping[str, Any]) -> TerraformFile:
        resources = []
        for place, entry in self._tables(body, "resources", ""):
            module = str(entry.get("module") or "")
            for where, instance in self._tables(entry, "instances", place):
                if not instance.get("deposed"):  # the one before, which is to be destroyed
                    values = self._dict(instance, "attributes", where)
                    index = instance.get("index_key")
                    resources.append(self._resource(entry, module, index, values, place))
        return self._with_outputs(TerraformFile(resources), self._dict(body, "outputs", ""), "outputs")

    def _shown(self, body: Mapping[str, Any]) -> TerraformFile:
        is_plan = "planned_values" in body
        name = "planned_values" if is_plan else "values"
        values = self._dict(body, name, "")
        resources = list(self._module(self._dict(values, "root_module", name), f"{name}.root_module", 0))
        found = TerraformFile(resources)
        if is_plan:
            found.configuration = self._dict(body, "configuration", "")
            changes = {}
            for where, change in self._tables(body, "resource_changes", ""):
                inner = self._dict(change, "change", where)
                changes[str(change.get("address"))] = self._dict(inner, "after_unknown", where)
            for resource in resources:
                resource.unknown = changes.get(resource.address, {})
        return self._with_outputs(found, self._dict(values, "outputs", name), f"{name}.outputs")

    def _module(self, module: Mapping[str, Any], place: str, depth: int) -> Iterator[Resource]:
        if depth > _MOST_DEPTH:
            raise self._wrong(place, "nested too deeply")
        address = str(module.get("address") or "")
        for where, entry in self._tables(module, "resources", place):
            values = self._dict(entry, "values", where)
            yield self._resource(entry, address, entry.get("index"), values, where)
        for where, child in self._tables(module, "child_modules", place):
            yield from self._module(child, where, depth + 1)

    def _resource(
        self, entry: Mapping[str, Any], module: str, index: Any, values: Any, place: str
    ) -> Resource:
        for name in ("type", "name"):
            if not isinstance(entry.get(name), str):
                raise self._wrong(f"{place}.{name}", "expected a text")
        if not isinstance(index, int | str | None):
            raise self._wrong(place, "the index is neither a number nor a text")
        is_data = entry.get("mode") == "data"
        return Resource(module, entry["type"], entry["name"], index, dict(values), is_data)

    def _with_outputs(self, found: TerraformFile, outputs: Mapping[str, Any], place: str) -> TerraformFile:
        for name in outputs:
            output = self._dict(outputs, name, place)
            if output.get("sensitive"):
                found.hidden[name] = "it is sensitive"
            elif output.get("value") is None:
                found.hidden[name] = "it is not known before apply"
            else:
                found.outputs[name] = output["value"]
        return found

    def _tables(
        self, table: Mapping[str, Any], name: str, place: str
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        """The tables of a list, each with its place."""
        where, value = f"{place}.{name}".removeprefix("."), table.get(name)
        if value is not None and not isinstance(value, list):
            raise self._wrong(where, "expected a list")
        for number, item in enumerate(value or (), start=1):
            if not isinstance(item, dict):
                raise self._wrong(f"{where}[{number}]", "expected a table")
            yield f"{where}[{number}]", item

    def _dict(self, table: Mapping[str, Any], name: str, place: str) -> dict[str, Any]:
        value = table.get(name)
        if value is not None and not isinstance(value, dict):
            raise self._wrong(f"{place}.{name}".removeprefix("."), "expected a table")
        return value or {}

    def _wrong(self, place: str, what: str) -> SeedError:
        return SeedError(f"seed file {self._path}: {place}: {what}")
