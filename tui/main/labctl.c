/* labctl.c: an administrator's tool for a lab, with rabbitmqctl's verbs, output and exit codes.
 *
 *     labctl [--dir DIR] -n node1 VERB [WORDS] [OPTIONS] */
#include "main/labctl.h"

int main(int argc, char **argv)
{
    return ctl_run(argc, argv, stdout, stderr);
}
