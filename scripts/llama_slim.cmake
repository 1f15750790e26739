# Read by the build of llama-cpp-python (see setup_engine.py): leaves out llama.cpp's "common"
# library, which its command-line tools need and the Python package does not. The package asks for
# it with a cache variable; this plain variable stands before that one. Saves half the build.
set(LLAMA_BUILD_COMMON OFF)
