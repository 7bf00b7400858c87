"""Names of OpenTelemetry that the helpers read or write; our own are in `generated/`."""

from __future__ import annotations

from typing import Final

INSTRUMENTATION: Final = "actorscope.semconv"

GEN_AI_OPERATION_NAME: Final = "gen_ai.operation.name"
GEN_AI_AGENT_NAME: Final = "gen_ai.agent.name"
GEN_AI_AGENT_ID: Final = "gen_ai.agent.id"
GEN_AI_AGENT_VERSION: Final = "gen_ai.agent.version"
GEN_AI_CONVERSATION_ID: Final = "gen_ai.conversation.id"
GEN_AI_TOOL_NAME: Final = "gen_ai.tool.name"
GEN_AI_TOOL_CALL_ID: Final = "gen_ai.tool.call.id"
MCP_METHOD_NAME: Final = "mcp.method.name"
USER_ID: Final = "user.id"
ERROR_TYPE: Final = "error.type"

INVOKE_AGENT: Final = "invoke_agent"
EXECUTE_TOOL: Final = "execute_tool"

TOOL_MARKS: Final = (
    (GEN_AI_OPERATION_NAME, EXECUTE_TOOL),
    (MCP_METHOD_NAME, "tools/call"),
    ("openinference.span.kind", "TOOL"),
    ("traceloop.span.kind", "tool"),
)
"""How the instrumentations of frameworks mark the span of a tool call."""

TOOL_NAMES: Final = (GEN_AI_TOOL_NAME, "tool.name", "traceloop.entity.name")
"""Where they put the name of the tool."""
