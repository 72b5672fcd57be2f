"""Policies for the attempts of one call: how long each may take, and what follows a failed one. All pure.

retries        retry, resend, migrate or give up after a failed attempt
retry_budget   retries as a share of requests
backoff        exponential backoff with full jitter
migration      how often a stream may move to another replica
hedging        when a second attempt starts, and its budget
timeouts       the timeout to the first token, from the predicted prefill
"""
