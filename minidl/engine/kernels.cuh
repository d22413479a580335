// The header of every kernel file. REAL: float or double. INDEX: the type of indices into arrays:
// int, or Count for large arrays.

typedef long long Count;
typedef REAL Real;
typedef INDEX Index;
static_assert(sizeof(Count) == 8, "a Count has 64 bits");

// Loop over all i below n. The threads of all blocks divide them.
#define EACH(i, n) for (Count i = blockIdx.x * (Count)blockDim.x + threadIdx.x; i < (n); i += (Count)gridDim.x * blockDim.x)
