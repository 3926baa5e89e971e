# Copies what Vite reads into the directory with the packages: cmake -Dfrom=.. -Dto=.. -P
# copy_sources.cmake
file(REMOVE_RECURSE ${to}/src ${to}/public)
foreach(name src public index.html tsconfig.json vite.config.ts)
  file(COPY ${from}/${name} DESTINATION ${to})
endforeach()
