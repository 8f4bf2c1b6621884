"""A kind of import contract that import-linter has not: a list of what may be imported, instead of
what may not.

import-linter's `forbidden` names what was thought of; a room that is made tomorrow is not on the
list. `only` names what a room needs.
"""

from collections.abc import Iterator

import grimp
from importlinter import Contract, ContractCheck, fields, output


class OnlyContract(Contract):
    """The source modules, with all below them, import one another, what is listed, and nothing
    else.

    An entry `a.b` allows that module, `a.b.**` also what lies below it. Libraries need not be
    listed unless `libraries` is true. Imports inside functions and under TYPE_CHECKING count as
    well; what is imported by what is imported does not, which `layers` sees to.
    """

    type_name = "only"

    source_modules = fields.ListField(subfield=fields.StringField())
    allowed_modules = fields.ListField(subfield=fields.StringField())
    libraries = fields.BooleanField(required=False, default=False)

    def check(self, graph: grimp.ImportGraph, verbose: bool) -> ContractCheck:
        """Look at each direct import of the sources."""
        del verbose
        sources = {
            name
            for source in self._named(self.source_modules)
            for name in (source, *graph.find_descendants(source))
        }
        found = [
            (importer, imported)
            for importer in sorted(sources)
            for imported in sorted(graph.find_modules_directly_imported_by(importer) - sources)
            if not self._allows(imported)
        ]
        return ContractCheck(kept=not found, metadata={"found": found})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Print who imports what."""
        for importer, imported in check.metadata["found"]:
            output.print_error(f"- {importer} -> {imported}", bold=False)
        output.new_line()

    def _allows(self, imported: str) -> bool:
        if (
            not self.libraries
            and imported.split(".")[0] not in self.session_options["root_packages"]
        ):
            return True
        for entry in self._named(self.allowed_modules):
            room = entry.removesuffix(".**")
            if imported == room or (room != entry and imported.startswith(f"{room}.")):
                return True
        return False

    @staticmethod
    def _named(names: object) -> Iterator[str]:
        assert isinstance(names, list)
        yield from map(str, names)
