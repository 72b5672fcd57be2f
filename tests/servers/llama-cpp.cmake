# Included by the project llama.cpp when `make test-servers` compiles it. Leaves out what only its own programs use, which
# takes half of the time; llama-cpp-python's build offers no option for that.
set(LLAMA_BUILD_COMMON OFF)
