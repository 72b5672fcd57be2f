"""The streaming client: logical calls with a real client's retries. A truncated answer is never counted as a good one.

client           one endpoint, called by any number of agents
records          options, context of an agent, record of a call
attempt          one HTTP attempt and its outcome
api_paths        the paths of the APIs
model_list       the models that an endpoint lists
endpoint         the address that a target's URL means
http_head        puts the head of a response right
connection       keep-alive connections and HTTP parsing
wire             what the two APIs have in common (protocol)
openai_wire      OpenAI chat completions
anthropic_wire   Anthropic Messages
sse              parser of server-sent events
stream           reads one streamed answer
answer           the content of one answer
tool_calls       collects the tool calls of an answer
token_estimate   estimates tokens where the target does not report them
lenient_json     decodes JSON, and reads values of any type
error_text       what a target said about a failure, as one line
judge            decides whether a 2xx answer was good
integrity        compares an answer with its expected tokens
call_spans       the load's OpenTelemetry spans
chunklog         writes the arrival times of chunks
clock            monotonic time, and its wall time
"""
