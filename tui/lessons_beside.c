/* lessons_beside.c: the lessons beside the one that is open: see lessons_beside.h. */
#include "lessons_beside.h"

#include <stdlib.h>

#include "commands.h"

void lesson_find_beside(struct model *m, int number)
{
    int numbers[99];
    char *error = NULL;
    size_t i = 0, len = lesson_list(numbers, ARRAY_LEN(numbers));
    m->earlier_lesson = 0;
    for (; i < len && numbers[i] <= number; i++)
        m->earlier_lesson = numbers[i] < number ? numbers[i] : m->earlier_lesson;
    struct lesson *next = i < len ? lesson_load(numbers[i], NULL, &error) : NULL;
    m->next_lesson = next ? next->number : 0;
    m->next_nodes = next ? next->nodes : 0;
    lesson_destroy(next);
    free(error);
}

struct lesson *lesson_find_tools(const struct labdir *lab)
{
    int numbers[99];
    struct lesson *found = NULL;
    for (size_t i = lesson_list(numbers, ARRAY_LEN(numbers)); i-- > 0 && !found;) {
        char *error = NULL;
        struct lesson *l = lesson_load(numbers[i], lab, &error);
        if (l && command_program(l, "producer") && command_program(l, "consumer"))
            found = l;
        else
            lesson_destroy(l);
        free(error);
    }
    return found;
}
