"""gRPC: which methods a server offers, who answers them, and what guards them."""

from __future__ import annotations

from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.scanner.framework import Context, Framework, Route
from assay.scanner.frameworks.grpc.grpclib import GRPCLIB
from assay.scanner.frameworks.grpc.routes import GRPC
from assay.scanner.readers import protobuf
from assay.scanner.readers.span import Span
from tests.projects import project_of

ORDERS = """
    syntax = "proto3";
    package shop.v1;
    service Orders {
        rpc GetOrder(GetOrderRequest) returns (Order);
        rpc ListOrders(google.protobuf.Empty) returns (stream Order) { option deprecated = true; }
    }
"""
SERVER = """
    import grpc
    from pb import orders_pb2_grpc
    from interceptors import *
    class Orders(orders_pb2_grpc.OrdersServicer):
        def GetOrder(self, request, context): ...
        def ListOrders(self, request, context): ...
    server = grpc.server(pool, interceptors={interceptors})
    orders_pb2_grpc.add_OrdersServicer_to_server(Orders(), server)
"""


def found(
    main: str, protos: dict[str, str] | None = None, framework: Framework = GRPC, **modules: str
) -> tuple[list[Route], list[str]]:
    """The routes and what could not be told, of `main.py`, other modules, and `.proto` files by path."""
    texts = {"orders.proto": ORDERS} if protos is None else protos
    files = {path: protobuf.read(path, dedent(text).encode()) for path, text in texts.items()}
    context = Context(project_of({"main.py": main, **{f"{name}.py": text for name, text in modules.items()}}), files)
    routes = list(framework.routes(context))
    return routes, [d.message for d in context.diagnostics]


def guards(interceptors: str, code: str) -> dict[str, list[str]]:
    """The guards of both methods of `Orders`, on a server with these interceptors."""
    routes, said = found(SERVER.format(interceptors=interceptors), interceptors="import grpc\n" + dedent(code))
    assert said == []
    return {r.path.rpartition("/")[2]: [g.name for g in r.guards] for r in routes}


# --- services ---


def test_methods_of_a_definition_whose_code_the_build_makes() -> None:
    routes, said = found(SERVER.format(interceptors="None"))
    assert [
        (r.methods, r.path, r.handler_name, r.request_model, r.response_model, r.is_deprecated) for r in routes
    ] == [
        (("POST",), "/shop.v1.Orders/GetOrder", "main:Orders.GetOrder", "GetOrderRequest", "Order", False),
        (("POST",), "/shop.v1.Orders/ListOrders", "main:Orders.ListOrders", "Empty", "stream Order", True),
    ]
    assert said == []


def test_the_file_that_the_module_is_named_after_decides_between_services_of_one_name() -> None:
    other = "package other; service Orders { rpc Wrong(A) returns (B); }"
    routes, _ = found(SERVER.format(interceptors="None"), {"a/orders.proto": ORDERS, "b/stock.proto": other})
    assert [r.path for r in routes] == ["/shop.v1.Orders/GetOrder", "/shop.v1.Orders/ListOrders"]


@pytest.mark.parametrize("protos", [{}, {"a.proto": "service Orders {}", "b.proto": "package b; service Orders {}"}])
def test_a_service_without_definition_or_with_two_has_the_methods_that_are_written(protos: dict[str, str]) -> None:
    routes, said = found(SERVER.format(interceptors="None"), protos)
    assert [(r.path, r.handler_name) for r in routes] == [
        ("/Orders/GetOrder", "main:Orders.GetOrder"),
        ("/Orders/ListOrders", "main:Orders.ListOrders"),
    ]
    assert said == ["the package of Orders can't be told: neither its definition nor its generated code is here"]


def test_services_of_grpc_itself_are_left_out() -> None:
    main = """
        import grpc
        from grpc_health.v1 import health, health_pb2_grpc
        server = grpc.server(pool)
        health_pb2_grpc.add_HealthServicer_to_server(health.HealthServicer(), server)
    """
    assert found(main) == ([], [])


def test_a_servicer_that_can_not_be_told_is_said() -> None:
    main = """
        import grpc
        from orders_pb2_grpc import add_OrdersServicer_to_server
        add_OrdersServicer_to_server(registry["orders"], grpc.server(pool))
    """
    routes, said = found(main)
    assert [(r.path, r.handler_name) for r in routes] == [
        ("/shop.v1.Orders/GetOrder", "unknown"),
        ("/shop.v1.Orders/ListOrders", "unknown"),
    ]
    assert said == ["what answers the methods of shop.v1.Orders can't be told"]


def test_a_servicer_and_a_server_that_functions_hand_on() -> None:
    main = """
        import grpc
        from orders_pb2_grpc import add_OrdersServicer_to_server

        class Guard(grpc.ServerInterceptor):
            def intercept_service(self, continuation, details):
                if not details.invocation_metadata:
                    return refuse(grpc.StatusCode.UNAUTHENTICATED)
                return continuation(details)

        class Base:
            def ListOrders(self, request, context): ...

        class Orders(Base):
            def __init__(self, store): ...
            def GetOrder(self, request, context): ...

        def add(servicer, to):
            add_OrdersServicer_to_server(servicer, to)

        def serve(servicer, interceptors):
            server = grpc.aio.server(interceptors=interceptors)
            add(servicer, server)

        serve(Orders(store), [Guard()])
    """
    routes, said = found(main)
    assert said == []
    assert [(r.handler_name, [g.name for g in r.guards]) for r in routes] == [
        ("main:Orders.GetOrder", ["Guard"]),
        ("main:Base.ListOrders", ["Guard"]),
    ]


def test_generated_code_that_nothing_calls_offers_nothing() -> None:
    generated = """
        import grpc
        def add_OrdersServicer_to_server(servicer, server):
            handlers = {"GetOrder": grpc.unary_unary_rpc_method_handler(servicer.GetOrder)}
            server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("shop.v1.Orders", handlers),))
    """
    assert found("import grpc", orders_pb2_grpc=generated) == ([], [])


def test_a_servicer_that_no_server_takes_is_said() -> None:
    generated = """
        import grpc
        class OrdersServicer: ...
        def add_OrdersServicer_to_server(servicer, server):
            handlers = {"GetOrder": grpc.unary_unary_rpc_method_handler(servicer.GetOrder)}
            server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("shop.v1.Orders", handlers),))
    """
    main = """
        import grpc
        import orders_pb2_grpc
        class Orders(orders_pb2_grpc.OrdersServicer): ...
        getattr(orders_pb2_grpc, f"add_{name}Servicer_to_server")(Orders(), grpc.server(pool))
    """
    assert found(main, orders_pb2_grpc=generated) == (
        [],
        ["no server was seen to take this servicer of shop.v1.Orders"],
    )


# --- guards ---


def test_an_interceptor_with_a_lambda_for_those_it_refuses() -> None:
    code = """
        class Tokens(grpc.ServerInterceptor):
            def intercept_service(self, continuation, details):
                if "token" not in dict(details.invocation_metadata):
                    return grpc.unary_unary_rpc_method_handler(
                        lambda request, context: context.abort(grpc.StatusCode.UNAUTHENTICATED, "no token")
                    )
                return continuation(details)
    """
    assert guards("[Tokens()]", code) == {"GetOrder": ["Tokens"], "ListOrders": ["Tokens"]}


def test_an_interceptor_that_is_given_the_status() -> None:
    code = """
        class Header(grpc.ServerInterceptor):
            def __init__(self, name, code):
                self._name = name
                self._refused = grpc.unary_unary_rpc_method_handler(lambda _, context: context.abort(code, ""))
            def intercept_service(self, continuation, details):
                found = self._name in dict(details.invocation_metadata)
                return continuation(details) if found else self._refused
    """
    made = '(Header("token", grpc.StatusCode.UNAUTHENTICATED),)'
    assert guards(made, code) == {"GetOrder": ["Header"], "ListOrders": ["Header"]}


def test_interceptors_that_refuse_nobody_for_who_they_are() -> None:
    code = """
        class Logging(grpc.ServerInterceptor):
            def intercept_service(self, continuation, details):
                log(details.invocation_metadata)
                return continuation(details)
        class Counting(grpc.ServerInterceptor):
            def intercept(self, method, request, context, method_name):
                try:
                    return method(request, context)
                except grpc.RpcError as error:
                    if error.code() == grpc.StatusCode.PERMISSION_DENIED:
                        count(context.invocation_metadata())
                    raise
    """
    assert guards("[Logging(), Counting()]", code) == {"GetOrder": [], "ListOrders": []}


@pytest.mark.parametrize(
    ("test", "is_open"),
    [
        ('details.method == "/shop.v1.Orders/GetOrder"', True),
        ("details.method in OPEN", True),
        ("details.method not in CLOSED", True),
        ('not details.method.startswith("/shop.v1.Orders/List")', True),
        ('details.method.endswith(("GetOrder", "Ping"))', True),
        ('details.method.split("/")[-1] == "GetOrder"', True),
        ("debug or details.method in OPEN", True),
        ("debug and details.method in OPEN", False),
        ("details.method in load()", False),
        ("details.invocation_metadata", False),
    ],
)
def test_methods_that_an_interceptor_lets_pass(test: str, is_open: bool) -> None:
    code = f"""
        OPEN = ("/shop.v1.Orders/GetOrder",)
        CLOSED = {{"/shop.v1.Orders/ListOrders"}}
        class Tokens(grpc.aio.ServerInterceptor):
            async def intercept_service(self, continuation, details):
                if {test}:
                    return await continuation(details)
                if "token" not in dict(details.invocation_metadata):
                    return refused(grpc.StatusCode.UNAUTHENTICATED)
                return await continuation(details)
    """
    assert guards("[Tokens()]", code) == {"GetOrder": [] if is_open else ["Tokens"], "ListOrders": ["Tokens"]}


def test_an_interceptor_that_asks_the_definition_is_said() -> None:
    code = """
        import grpc
        class Levels(grpc.ServerInterceptor):
            def intercept_service(self, continuation, details):
                level = pool.FindServiceByName(details.method).GetOptions().Extensions[auth_level]
                if level and "token" not in dict(details.invocation_metadata):
                    return refused(grpc.StatusCode.UNAUTHENTICATED)
                return continuation(details)
    """
    routes, said = found(SERVER.format(interceptors="[Levels()]"), interceptors=code)
    assert [[g.name for g in r.guards] for r in routes] == [["Levels"], ["Levels"]]
    assert said == ["which methods Levels lets pass is said by options of the definition, which aren't read"]


def test_what_is_appended_to_the_interceptors() -> None:
    main = """
        import grpc
        from orders_pb2_grpc import add_OrdersServicer_to_server
        class Orders:
            def GetOrder(self, request, context): ...
            def ListOrders(self, request, context): ...
        class Guard(grpc.ServerInterceptor):
            def intercept_service(self, continuation, details):
                if not details.invocation_metadata:
                    return refuse(grpc.StatusCode.UNAUTHENTICATED)
                return continuation(details)
        def serve():
            interceptors = []
            interceptors.append(Guard())
            server = grpc.server(pool, interceptors=interceptors)
            add_OrdersServicer_to_server(Orders(), server)
    """
    assert [[g.name for g in r.guards] for r in found(main)[0]] == [["Guard"], ["Guard"]]


def test_a_wrong_password_is_no_guard_and_a_missing_token_is_one() -> None:
    main = """
        import grpc
        from orders_pb2_grpc import add_OrdersServicer_to_server
        def caller(context):
            return dict(context.invocation_metadata()).get("authorization")
        class Orders:
            def GetOrder(self, request, context):
                if not matches(request.password):
                    context.abort(grpc.StatusCode.UNAUTHENTICATED, "wrong password")
            def ListOrders(self, request, context):
                if caller(context) is None:
                    context.set_code(grpc.StatusCode.PERMISSION_DENIED)
                    return
        add_OrdersServicer_to_server(Orders(), grpc.server(pool))
    """
    assert [[g.name for g in r.guards] for r in found(main)[0]] == [[], ["check in the handler"]]


# --- grpclib ---


def test_services_that_betterproto_generates() -> None:
    main = """
        from grpclib.server import Server
        from grpclib.health.service import Health
        from shop import OrdersBase
        class Orders(OrdersBase):
            async def get_order(self, request): ...
        server = Server([Orders(), Health()])
    """
    generated = """
        import grpclib
        class OrdersBase(ServiceBase):
            async def list_orders(self, request): ...
            def __mapping__(self):
                return {
                    "/shop.v1.Orders/GetOrder": grpclib.const.Handler(
                        self.__rpc_get_order, grpclib.const.Cardinality.UNARY_UNARY, GetOrderRequest, Order
                    ),
                    "/shop.v1.Orders/ListOrders": grpclib.const.Handler(
                        self.__rpc_list_orders, grpclib.const.Cardinality.UNARY_STREAM, Empty, Order
                    ),
                }
    """
    routes, said = found(main, {}, GRPCLIB, shop=generated)
    assert [(r.path, r.handler_name, r.request_model, r.response_model) for r in routes] == [
        ("/shop.v1.Orders/GetOrder", "main:Orders.get_order", "GetOrderRequest", "Order"),
        ("/shop.v1.Orders/ListOrders", "shop:OrdersBase.list_orders", "Empty", "stream Order"),
    ]
    assert said == []


def test_services_whose_code_the_build_generates_for_grpclib() -> None:
    main = """
        from grpclib.server import Server
        from .orders_grpc import OrdersBase
        class Orders(OrdersBase):
            async def GetOrder(self, stream): ...
        server = Server([Orders(), made_elsewhere()])
    """
    routes, said = found(main, framework=GRPCLIB)
    assert [(r.path, r.handler_name) for r in routes] == [
        ("/shop.v1.Orders/GetOrder", "main:Orders.GetOrder"),
        ("/shop.v1.Orders/ListOrders", "main:Orders.list_orders"),
    ]
    assert said == ["what this server offers can't be told"]


# --- definitions ---


def test_places_in_a_definition() -> None:
    facts = protobuf.read("", dedent(ORDERS).encode())
    (service,) = facts.services
    assert (facts.package, service.name, service.span) == ("shop.v1", "shop.v1.Orders", Span(4, 1, 4, 15))
    assert [m.span for m in service.methods] == [Span(5, 5, 5, 51), Span(6, 5, 6, 67)]


def test_comments_and_strings_define_nothing() -> None:
    text = """
        // service A { rpc A(B) returns (C); }
        /* package no;
           service B {} */
        option java_package = "service C {";
        service D { option (x) = "}"; rpc E ( stream .a.F ) returns( G ) {} }
    """
    (service,) = protobuf.read("", dedent(text).encode()).services
    assert (service.name, [(m.name, m.request, m.response) for m in service.methods]) == (
        "D",
        [("E", "stream .a.F", "G")],
    )


@given(st.text(alphabet='{}();"/* \nservice rpc returns stream A', max_size=60))
def test_no_text_breaks_the_reader(text: str) -> None:
    protobuf.read("", text.encode())
