"""All span, event and attribute names that reports read, and the enumerations among their values.

`gen_ai.*` names are those of `semantic-conventions-genai` v0.1.0 (in development); `http.*`, `server.*`, `service.*`
and `error.type` those of the OpenTelemetry semantic conventions 1.37. Ours carry the prefix `brownout.`.
Times in attributes are seconds, counts are plain numbers, unless the name says otherwise.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

# -- services (resource attributes) -------------------------------------------------------------------------------
SERVICE_NAME: Final = "service.name"
SERVICE_INSTANCE: Final = "service.instance.id"  # "<process>#<incarnation>", for example "tpu-0#2"
SERVICE_LOADGEN: Final = "brownout-loadgen"
SERVICE_GATEWAY: Final = "brownout-gateway"
SERVICE_REPLICA: Final = "brownout-replica"
SERVICE_RUNNER: Final = "brownout-runner"

# -- span names ---------------------------------------------------------------------------------------------------
SPAN_SESSION: Final = "brownout.session"  # the load: one per session, created when it ends, in its own trace
SPAN_INVOKE_AGENT: Final = "invoke_agent"  # the load: "invoke_agent {agent name}", root of one agent turn
SPAN_CHAT: Final = "chat"  # the load: "chat {model}", one logical call, the client's retries inside
SPAN_EXECUTE_TOOL: Final = "execute_tool"  # the load: "execute_tool {tool name}"
SPAN_ATTEMPT: Final = "POST"  # one HTTP attempt: of the client (in chat), and of the gateway (in gateway.request)
SPAN_GATEWAY_REQUEST: Final = "brownout.gateway.request"
SPAN_GATEWAY_TRANSITION: Final = "brownout.gateway.transition"  # zero length, in its own trace
SPAN_REPLICA_REQUEST: Final = "brownout.replica.request"
SPAN_REPLICA_QUEUE: Final = "brownout.replica.queue"
SPAN_REPLICA_PREFILL: Final = "brownout.replica.prefill"
SPAN_REPLICA_DECODE: Final = "brownout.replica.decode"
SPAN_FAULT: Final = "brownout.fault"  # the runner: injection to verified revert, in its own trace

# -- span events --------------------------------------------------------------------------------------------------
EVENT_DECISION: Final = "brownout.decision"  # on gateway.request: replicas considered, replica chosen, reason
EVENT_FAULT_HIT: Final = "brownout.fault.hit"  # on replica.request, gateway.request or chat: FAULT_ID, FAULT_KIND
EVENT_FAULT_STAGE: Final = "brownout.fault.stage"  # on fault: planned, injected, confirmed, reverted, verified
EVENT_PREEMPTED: Final = "brownout.preempted"  # on replica.request

# -- OpenTelemetry's own attributes -------------------------------------------------------------------------------
OPERATION_NAME: Final = "gen_ai.operation.name"
PROVIDER_NAME: Final = "gen_ai.provider.name"
AGENT_NAME: Final = "gen_ai.agent.name"
TOOL_NAME: Final = "gen_ai.tool.name"
CONVERSATION_ID: Final = "gen_ai.conversation.id"  # the session
REQUEST_MODEL: Final = "gen_ai.request.model"
REQUEST_STREAM: Final = "gen_ai.request.stream"
REQUEST_MAX_TOKENS: Final = "gen_ai.request.max_tokens"
RESPONSE_MODEL: Final = "gen_ai.response.model"
RESPONSE_FINISH_REASONS: Final = "gen_ai.response.finish_reasons"
RESPONSE_TTFC: Final = "gen_ai.response.time_to_first_chunk"
USAGE_INPUT_TOKENS: Final = "gen_ai.usage.input_tokens"
USAGE_OUTPUT_TOKENS: Final = "gen_ai.usage.output_tokens"
USAGE_CACHED_TOKENS: Final = "gen_ai.usage.cache_read.input_tokens"
HTTP_METHOD: Final = "http.request.method"
HTTP_STATUS: Final = "http.response.status_code"  # on chat: of the last attempt
HTTP_RESEND_COUNT: Final = "http.request.resend_count"  # on resends only
SERVER_ADDRESS: Final = "server.address"
SERVER_PORT: Final = "server.port"
PEER_NAME: Final = "service.peer.name"  # the pool, on the gateway's attempts
ERROR_TYPE: Final = "error.type"  # a value of Outcome, or "_OTHER"

# -- identity and place -------------------------------------------------------------------------------------------
AGENT_ID: Final = "brownout.agent"  # the agent within the session: "main", "sub-1"
TURN: Final = "brownout.turn"  # the agent's call, from 0: the marker's turn
TENANT: Final = "brownout.tenant"
TIER: Final = "brownout.tier"  # the tenant's plan: subscription, pay_as_you_go, batch
POOL: Final = "brownout.pool"
REPLICA: Final = "brownout.replica"
CLOUD: Final = "brownout.cloud"

# -- a session (SPAN_SESSION) -------------------------------------------------------------------------------------
SESSION_PLANNED_AT: Final = "brownout.session.planned_at_s"  # since the start of the load
SESSION_LATENESS: Final = "brownout.session.lateness_s"  # actual start - planned start
SESSION_OUTCOME: Final = "brownout.session.outcome"  # succeeded | lost | unfinished
SESSION_LOST_BECAUSE: Final = "brownout.session.lost_because"  # an Outcome
SESSION_CALLS: Final = "brownout.session.calls"  # logical calls made
SESSION_CALLS_PLANNED: Final = "brownout.session.calls_planned"
SESSION_LAST_BYTE_AGE: Final = "brownout.session.silent_s"  # unfinished sessions: since the last byte from the target
SESSION_PROFILE: Final = "brownout.session.profile"

# -- a call (SPAN_CHAT) and a client's attempt (SPAN_ATTEMPT) -------------------------------------------------------
OUTCOME: Final = "brownout.outcome"  # a value of Outcome; on chat, attempts, gateway.request, replica.request
RETRY_AFTER: Final = "brownout.retry_after_s"  # the pause that the response asked for; on the client's attempt
CALL_SCHEDULED_LATENESS: Final = "brownout.call.lateness_s"  # sent - scheduled
CALL_TTFT: Final = "brownout.call.ttft_s"  # call sent -> first non-empty output token; absent = never
CALL_E2E: Final = "brownout.call.e2e_s"
CALL_MAX_GAP: Final = "brownout.call.max_gap_s"
CALL_ATTEMPTS: Final = "brownout.call.attempts"
CALL_PROVABLE: Final = "brownout.call.provable"  # bool: the tokens could be checked against the expected stream
TOKENS_EXPECTED: Final = "brownout.tokens.expected"
TOKENS_RECEIVED: Final = "brownout.tokens.received"
TOKENS_LOST: Final = "brownout.tokens.lost"
TOKENS_DUPLICATED: Final = "brownout.tokens.duplicated"
TOKENS_SPLICED: Final = "brownout.tokens.spliced"  # tokens of another answer
TERMINALS: Final = "brownout.terminals"  # terminal events seen; 1 is right
DEGRADED: Final = "brownout.degraded"  # value of X-Brownout-Degraded; on the client's and the gateway's spans
SILENTLY_TRUNCATED: Final = "brownout.silently_truncated"  # HTTP complete, no error event, tokens or finish missing
TOKENS_ESTIMATED: Final = "brownout.tokens.estimated"  # bool, on chat: the target reported no token count
ERROR_MESSAGE: Final = "brownout.error.message"  # why it failed; on chat and the client's attempt that are not ok
CHUNKS: Final = "brownout.chunks"  # bytes: see `loadprofiles.client.chunklog`; on the client's attempt

# -- the gateway --------------------------------------------------------------------------------------------------
ATTEMPT_NUMBER: Final = "brownout.attempt.number"  # 1 is the first upstream attempt of a request
ATTEMPT_REASON: Final = "brownout.attempt.reason"  # first | retry | migration | hedge
ATTEMPT_WHY: Final = "brownout.attempt.why"  # as text: what ended the attempt before it
CONTINUATION_OFFSET: Final = "brownout.continuation.offset"  # tokens that the client already had
TOKENS_PASSED_ON: Final = "brownout.tokens.passed_on"  # tokens of this attempt sent to the client
GATEWAY_ATTEMPTS: Final = "brownout.gateway.attempts"
GATEWAY_MIGRATIONS: Final = "brownout.gateway.migrations"
DECISION_CHOSEN: Final = "brownout.decision.chosen"  # a replica, or "" where the request was rejected
DECISION_CONSIDERED: Final = "brownout.decision.considered"  # list of "replica=load" strings
DECISION_EXCLUDED: Final = "brownout.decision.excluded"  # list of "replica: reason" strings
DECISION_WHY: Final = "brownout.decision.why"
TRANSITION: Final = "brownout.transition"  # a value of Transition
TRANSITION_WHY: Final = "brownout.transition.why"

# -- a replica ----------------------------------------------------------------------------------------------------
PROMPT_TOKENS: Final = "brownout.prompt.tokens"
PREFILL_CACHED: Final = "brownout.prefill.cached"  # prompt tokens found in the prefix cache
PREFILL_COMPUTED: Final = "brownout.prefill.computed"  # prompt tokens computed, recomputation after preemption included
DECODED: Final = "brownout.decoded"  # output tokens decoded
SPAN_LOST: Final = "brownout.span_lost"  # bool, only in the analysis: made from a replica's line, its span was lost
SENT: Final = "brownout.sent"  # output tokens written to the socket
PREEMPTIONS: Final = "brownout.preemptions"

# -- why a run ended (event `run`) --------------------------------------------------------------------------------
ABORTED_BY_HAND: Final = "aborted by hand"  # by `brownout abort`; another `aborted` is a guardrail
STOPPED_BY_GUARDRAIL: Final = "stopped by a guardrail"  # begins the reason of such a run
STAYED_DOWN: Final = "down after the trigger was gone"  # begins the reason of a run whose target stayed down

# -- faults -------------------------------------------------------------------------------------------------------
FAULT_ID: Final = "brownout.fault.id"
FAULT_KIND: Final = "brownout.fault.kind"
FAULT_STAGE: Final = "brownout.fault.stage_name"
FAULT_TARGETS: Final = "brownout.fault.targets"  # list of replica names, or one of the two below
TARGET_LOAD: Final = "load"  # of a demand fault; its sessions carry FAULT_ID, the calls it changed EVENT_FAULT_HIT
TARGET_GATEWAY: Final = "gateway"
TARGET_SYSTEM: Final = "system"  # of a command of the user's
FAULT_HITS: Final = "brownout.fault.hits"


class Outcome(StrEnum):
    """How a call or an attempt ended: the first that applies. Definitions and order: `docs/measures.md`."""

    OK = "ok"
    ABANDONED = "abandoned"  # the client closed the connection
    REFUSED = "refused"  # the connection was refused
    RESET = "reset"  # the connection was closed before the response headers
    TIMEOUT = "timeout"
    RATE_LIMITED = "rate_limited"  # 429
    HTTP_4XX = "http_4xx"
    HTTP_5XX = "http_5xx"
    ERROR_EVENT = "error_event"  # an error inside a 200 stream
    STALLED = "stalled"  # idle for longer than the limit
    CORRUPT = "corrupt"  # unparseable, or tokens that are not the expected ones
    TRUNCATED = "truncated"  # ended short


class Transition(StrEnum):
    """A state change that a gateway's policy made for a replica (panic: for all replicas)."""

    EJECTED = "ejected"
    READMITTED = "readmitted"
    BREAKER_OPEN = "breaker_open"
    BREAKER_HALF_OPEN = "breaker_half_open"
    BREAKER_CLOSED = "breaker_closed"
    PANIC_ON = "panic_on"
    PANIC_OFF = "panic_off"


class SessionOutcome(StrEnum):
    """How a session ended."""

    SUCCEEDED = "succeeded"
    LOST = "lost"
    UNFINISHED = "unfinished"
