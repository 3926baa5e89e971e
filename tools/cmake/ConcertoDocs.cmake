# The target docs: the reference of the installed headers, by Doxygen, in <build>/reference/html. A
# warning is an error.

find_program(CONCERTO_DOXYGEN doxygen)
if(CONCERTO_DOXYGEN)
  set(doxygen_input "")
  foreach(path tools/cmake/doxygen_names.hpp core/base/include core/engine/include
               net/transport/include net/protocol/include net/client/include persist/include
               persist/barrier/include)
    string(APPEND doxygen_input " \"${PROJECT_SOURCE_DIR}/${path}\"")
  endforeach()
  configure_file(${CMAKE_CURRENT_LIST_DIR}/Doxyfile.in ${PROJECT_BINARY_DIR}/Doxyfile @ONLY)
  add_custom_target(docs COMMAND ${CONCERTO_DOXYGEN} ${PROJECT_BINARY_DIR}/Doxyfile VERBATIM)
else()
  add_custom_target(docs COMMAND ${CMAKE_COMMAND} -E echo "doxygen is not installed"
                    COMMAND ${CMAKE_COMMAND} -E false)
endif()
