# concerto_embed(<target> <file> <namespace> <name>): makes the bytes of the file a part of the
# target, as `extern const std::string_view <name>` in the namespace.
set(concerto_embed_template ${CMAKE_CURRENT_LIST_DIR}/embedded.cpp.in)
set(concerto_embed_script ${CMAKE_CURRENT_LIST_DIR}/embed.cmake)

function(concerto_embed target file namespace name)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
  file(READ ${file} bytes HEX)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "'\\\\x\\1'," bytes "${bytes}")
  set(source ${CMAKE_CURRENT_BINARY_DIR}/${name}.cpp)
  configure_file(${concerto_embed_template} ${source} @ONLY)
  target_sources(${target} PRIVATE ${source})
endfunction()

# concerto_embed_built(<target> <file> <namespace> <name>): the same for a file that the build
# makes.
function(concerto_embed_built target file namespace name)
  set(source ${CMAKE_CURRENT_BINARY_DIR}/${name}.cpp)
  add_custom_command(
    OUTPUT ${source}
    COMMAND ${CMAKE_COMMAND} -Dfile=${file} -Dnamespace=${namespace} -Dname=${name}
            -Dsource=${source} -P ${concerto_embed_script}
    DEPENDS ${file} ${concerto_embed_template} ${concerto_embed_script}
    VERBATIM)
  target_sources(${target} PRIVATE ${source})
endfunction()
