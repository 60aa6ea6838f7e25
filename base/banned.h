/* Functions that must not be used; included by every .c file through base/base.h. */
#ifndef CHANCERY_BASE_BANNED_H
#define CHANCERY_BASE_BANNED_H

#pragma GCC poison strcpy strcat strncpy strncat sprintf vsprintf gets strtok asctime ctime gmtime localtime atoi atol atof rand srand system popen

#endif
