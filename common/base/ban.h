/* ban.h: included last by every .c file of the pure layers. What would make a run depend on anything but its
 * inputs does not compile there. */
#ifndef BASE_BAN_H
#define BASE_BAN_H

#define BANNED(name) banned_in_pure_code_##name

#undef time
#undef rand
#undef random
#undef sprintf
#undef strcpy
#undef strcat
#undef getenv
#define time(...)          BANNED(time)
#define clock_gettime(...) BANNED(clock_gettime)
#define gettimeofday(...)  BANNED(gettimeofday)
#define rand(...)          BANNED(rand)
#define random(...)        BANNED(random)
#define getenv(...)        BANNED(getenv)
#define sprintf(...)       BANNED(sprintf)
#define strcpy(...)        BANNED(strcpy)
#define strcat(...)        BANNED(strcat)

#endif
