"""A simulated replica: it speaks a real inference server's API and spends time and KV memory as one does.

engine, scheduler, kv, cost        the engine: pure, exact, told the time
conversation                       canonical text, keys and lengths of answers: pure
openai_api, anthropic_api (api)    bytes of requests and answers: pure
behaviours/                        what it can be made to do wrong, on leases
driver, stream, serving            the engine in real time, an answer on its way, a request from end to end
spans, metrics, control, server    what it tells, how it is told, and the process around it
"""
