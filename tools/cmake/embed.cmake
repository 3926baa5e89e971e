# Makes a source of a file, for concerto_embed_built: cmake -Dfile=.. -Dnamespace=.. -Dname=..
# -Dsource=.. -P embed.cmake
file(READ ${file} bytes HEX)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "'\\\\x\\1'," bytes "${bytes}")
configure_file(${CMAKE_CURRENT_LIST_DIR}/embedded.cpp.in ${source} @ONLY)
