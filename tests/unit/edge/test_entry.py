"""The module that stands before the user's."""

from selfedge.bundle.model import Bundle, Module
from selfedge.edge.entry import EDGE_NAME, ENTRY_NAME, MODULES, with_edge


def bundle(*exports):
    main = Module(name="hello.js", type="esModule", content=b"")
    return Bundle(modules=[main], exports=exports, source_map=None, inputs=frozenset())


def test_the_edge_is_evaluated_before_the_user_and_comes_first():
    modules = with_edge(bundle("default"))
    assert MODULES[0] == ENTRY_NAME
    assert [module.name for module in modules] == [*MODULES, "hello.js"]
    entry = modules[0].content.decode()
    assert entry.index(EDGE_NAME) < entry.index("hello.js")
    assert "export default user.default;" in entry


def test_a_worker_without_a_default_export_gets_none():
    entry = with_edge(bundle("Counter"))[0].content.decode()
    assert "export default" not in entry
