# Build rules shared by all folders.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()

find_program(ZEROPOINT_CCACHE ccache)
if(ZEROPOINT_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${ZEROPOINT_CCACHE})
endif()

# Same bytes everywhere: no contraction that the source does not spell, no fast math.
add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Werror
                    -ffp-contract=off)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  # The oldest machine we run on (2009). Vector code for newer ones is chosen at run time; with this
  # baseline Highway needs no one-lane fallback, which GCC 12.2 miscompiles or makes very slow.
  add_compile_options(-march=x86-64-v2)
  # Machines without AVX2 (before 2013) all take the code of the baseline (SSSE3): what Highway has for
  # SSE4 is no faster, and every instruction set is compiled anew.
  add_compile_definitions(HWY_DISABLED_TARGETS=HWY_SSE4)
endif()
if(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
  # Sums run in sixteen lanes on every machine; vectors without a size (SVE) can't be such lanes.
  add_compile_definitions("HWY_DISABLED_TARGETS=(HWY_SVE|HWY_SVE2|HWY_SVE_256|HWY_SVE2_128)")
  # Highway compiles its NEON code for +crypto; what GCC makes outside of functions (constructors of
  # structs of vectors) must be compiled for the same. No AES instruction is used.
  add_compile_options(-march=armv8-a+crypto)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 warns falsely of these inside its own library when it inlines at -O2 and above.
  add_compile_options(-Wno-restrict -Wno-array-bounds -Wno-stringop-overflow -Wno-maybe-uninitialized)
endif()

# zp_sources(<target> <folder>): every .cc of the folder that is no test.
function(zp_sources target folder)
  file(GLOB sources CONFIGURE_DEPENDS ${folder}/*.cc)
  list(FILTER sources EXCLUDE REGEX "_test\\.cc$")
  target_sources(${target} PRIVATE ${sources})
  target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/src)
endfunction()

# zp_library(<folder> [FLOORS <folder>...] [LIBS <target>...]): the static library zp_<folder> of
# src/<folder>, and the test program <folder>_test of its *_test.cc files, which name the project's files
# from its root. SHARDS: so many tests, each of a share of the program's, that run side by side. COMPUTING_TESTS:
# the tests compute references themselves, so they are optimized; others take longer to compile than to run.
function(zp_library folder)
  cmake_parse_arguments(ARG "COMPUTING_TESTS" "SHARDS" "FLOORS;LIBS" ${ARGN})
  add_library(zp_${folder} STATIC)
  zp_sources(zp_${folder} src/${folder})
  target_include_directories(zp_${folder} PUBLIC ${PROJECT_SOURCE_DIR}/src)
  list(TRANSFORM ARG_FLOORS PREPEND zp_)
  target_link_libraries(zp_${folder} PUBLIC ${ARG_FLOORS} ${ARG_LIBS})
  if(ZEROPOINT_LIBRARY)  # the folder goes into libzeropoint.so, which shows what include/ has alone
    set_target_properties(zp_${folder} PROPERTIES POSITION_INDEPENDENT_CODE ON CXX_VISIBILITY_PRESET hidden
                                                  VISIBILITY_INLINES_HIDDEN ON)
  endif()
  file(GLOB tests CONFIGURE_DEPENDS src/${folder}/*_test.cc)
  if(ZEROPOINT_TESTS AND tests AND folder MATCHES "^(${ZEROPOINT_UNIT_TESTS})$")
    add_executable(${folder}_test ${tests})
    target_link_libraries(${folder}_test PRIVATE zp_${folder} GTest::gtest_main)
    target_compile_options(${folder}_test PRIVATE $<IF:$<BOOL:${ARG_COMPUTING_TESTS}>,-O1,-O0>)
    if(NOT ARG_SHARDS)
      add_test(NAME ${folder} COMMAND ${folder}_test WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
      return()
    endif()
    math(EXPR last "${ARG_SHARDS} - 1")
    foreach(shard RANGE ${last})
      set(own ${PROJECT_BINARY_DIR}/shards/${folder}_${shard})  # tests of one program may share names of files
      file(MAKE_DIRECTORY ${own})
      add_test(NAME ${folder}_${shard} COMMAND ${folder}_test WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
      set_tests_properties(${folder}_${shard} PROPERTIES COST 2  # the longest of all: they begin first
        ENVIRONMENT "GTEST_TOTAL_SHARDS=${ARG_SHARDS};GTEST_SHARD_INDEX=${shard};TMPDIR=${own}")
    endforeach()
  endif()
endfunction()
