/* replay.c - runs a target on the files given as arguments, without libFuzzer and with any
 * compiler. */
#include "check.h"

static int replay(const char *path)
{
    static uint8_t input[1 << 20];
    FILE *file = fopen(path, "rb");
    if (!file) {
        perror(path);
        return 1;
    }
    size_t size = fread(input, 1, sizeof input, file);
    int failed = ferror(file);
    fclose(file);
    return failed ? 1 : LLVMFuzzerTestOneInput(input, size);
}

int main(int count, char **paths)
{
    for (int i = 1; i < count; i++)
        if (replay(paths[i]))
            return 1;
    printf("%d texts\n", count - 1);
    return 0;
}
