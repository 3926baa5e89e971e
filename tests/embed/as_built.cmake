# Concerto's own sources compile as tools/lib.sh has them compiled: ccache then has their objects.
set(CMAKE_CXX_COMPILER_LAUNCHER ccache)
set(CMAKE_COMPILE_WARNING_AS_ERROR ON)
