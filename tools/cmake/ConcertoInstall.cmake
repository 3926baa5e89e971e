# What `cmake --install` installs: programs, libraries, headers (by FILE_SET), pages, and the
# package files for find_package(Concerto CONFIG [COMPONENTS ..]) and for pkg-config (concerto-core
# and so on). There is one export per room, so that a program that embeds the core alone needs no
# OpenSSL or protobuf. ConcertoTesting.cmake installs the component testing.

include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/Concerto)

# The barriers of the databases that this configuration builds.
set(concerto_barriers barrier)
foreach(database postgres mysql sqlite redis)
  if(TARGET concerto_barrier_${database})
    list(APPEND concerto_barriers barrier_${database})
  endif()
endforeach()

foreach(room base core transport protocol client persist ${concerto_barriers})
  install(
    TARGETS concerto_${room}
    EXPORT concerto_${room}
    FILE_SET HEADERS DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(EXPORT concerto_${room} FILE concerto-${room}.cmake NAMESPACE concerto::
          DESTINATION ${package_dir})
endforeach()

# concerto_pkg_config(<room> [ROOMS <rooms>] [HEADERS <modules>] [MODULES <modules>]
# [LIBS <names>]): installs concerto-<room>.pc. HEADERS are the modules whose headers the room's
# headers include, MODULES and LIBS what else is inside of the library: only a static library leaves
# that to those who link it.
function(concerto_pkg_config room)
  cmake_parse_arguments(arg "" "" "ROOMS;HEADERS;MODULES;LIBS" ${ARGN})
  list(TRANSFORM arg_ROOMS PREPEND concerto-)
  set(requires ${arg_ROOMS} ${arg_HEADERS})
  set(libs -lconcerto_${room})
  set(cflags "")
  if(BUILD_SHARED_LIBS)
    set(cflags -DCONCERTO_SHARED)
  else()
    list(APPEND requires ${arg_MODULES})
    list(TRANSFORM arg_LIBS PREPEND -l)
    list(APPEND libs ${arg_LIBS})
  endif()
  list(JOIN requires ", " requires)
  list(JOIN libs " " libs)
  file(RELATIVE_PATH to_prefix ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
  set(file ${PROJECT_BINARY_DIR}/concerto-${room}.pc)
  configure_file(${PROJECT_SOURCE_DIR}/tools/cmake/concerto.pc.in ${file} @ONLY)
  install(FILES ${file} DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endfunction()

set(store_modules "")
set(store_libs "")
if(CONCERTO_STORE_LEVELDB)
  list(APPEND store_libs leveldb)
endif()
if(CONCERTO_STORE_MYSQL)
  list(APPEND store_modules libmariadb)
endif()
if(CONCERTO_STORE_POSTGRES)
  list(APPEND store_modules libpq)
endif()
if(CONCERTO_STORE_REDIS)
  list(APPEND store_modules hiredis libssl libcrypto)
endif()
# Boost has no modules; its headers and libraries are looked for in the compiler's directories.
concerto_pkg_config(base LIBS boost_json boost_container)
concerto_pkg_config(core ROOMS base)
concerto_pkg_config(transport ROOMS base HEADERS libssl libcrypto MODULES protobuf zlib libnghttp2
                    LIBS boost_url)
concerto_pkg_config(protocol ROOMS core transport MODULES protobuf LIBS boost_url boost_json)
concerto_pkg_config(client ROOMS protocol MODULES protobuf LIBS boost_url boost_json)
concerto_pkg_config(persist ROOMS core MODULES ${store_modules} LIBS ${store_libs})
concerto_pkg_config(barrier ROOMS base)
set(barrier_modules_postgres libpq)
set(barrier_modules_mysql libmariadb)
set(barrier_modules_sqlite sqlite3)
set(barrier_modules_redis hiredis)
foreach(database postgres mysql sqlite redis)
  if(TARGET concerto_barrier_${database})
    concerto_pkg_config(barrier_${database} ROOMS barrier
                        MODULES ${barrier_modules_${database}})
  endif()
endforeach()

configure_package_config_file(
  ${CMAKE_CURRENT_LIST_DIR}/ConcertoConfig.cmake.in ${PROJECT_BINARY_DIR}/ConcertoConfig.cmake
  INSTALL_DESTINATION ${package_dir} NO_SET_AND_CHECK_MACRO)
# Before 1.0 a minor version may change the interface.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/ConcertoConfigVersion.cmake
                                 COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/ConcertoConfig.cmake
              ${PROJECT_BINARY_DIR}/ConcertoConfigVersion.cmake DESTINATION ${package_dir})
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
# The pages that comments in the headers name, and the examples.
install(DIRECTORY ${PROJECT_SOURCE_DIR}/docs/ DESTINATION ${CMAKE_INSTALL_DOCDIR}
        FILES_MATCHING PATTERN "*.md" REGEX "/docs/examples/[^/]+/[^/]+$"
        REGEX "/docs/monitoring/[^/]+$" REGEX "/docs/pictures/[^/]+$" PATTERN plots EXCLUDE)
# Their scripts, whatever rights they have in a checkout.
install(DIRECTORY ${PROJECT_SOURCE_DIR}/docs/examples/ DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples
        FILE_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ
                         WORLD_EXECUTE
        FILES_MATCHING REGEX "/docs/examples/[^/]+/([^/.]+|[^/]+[.](sh|py))$")
