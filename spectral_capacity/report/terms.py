"""Terms of the page, a line each."""

TERMS = {
    "stored, recovered": (
        "An item is stored, or recovered, when the memory's score of its own answer is above those of all "
        "others. The **capacity** is how many are; :math:`m` on this page."
    ),
    "population gradient": (
        "The gradient of the softmax loss averaged over all items with their frequencies. On a **batch** it is "
        "averaged over :math:`B` items drawn with them; :math:`B = ∞` is the population."
    ),
    "Muon, polar map": (
        "From the gradient :math:`G = U Σ V^T` the polar map makes :math:`U V^T`: every singular value becomes "
        "1. Muon steps along it. Other maps change the singular values otherwise."
    ),
    "Newton step": (
        "The gradient between the inverses of the embeddings' second moments, of the outputs on its left and "
        "of the inputs on its right."
    ),
    "κ": (
        "The covariance of the output embeddings has the eigenvalues :math:`k^{−κ}`, :math:`k = 1, …, d`: at 0 "
        "all directions are alike."
    ),
    "critical batch size :math:`B^*`": (
        "The batch size at which a line :math:`a B^{1/α}`, fitted to the items stored with small batches, "
        "meets the population's capacity."
    ),
    "thresholded gradient": (
        "Drops an item for good once it was recovered and keeps all others as they are at zero. The theorems "
        "about many steps are about it; the **exact** gradient is the loss's own."
    ),
    "exponent": (
        "The slope of the logarithm of a quantity against :math:`\\log\\, d`. Small :math:`d` bend the line. "
        "Every exponent here, in a figure, a table or a claim, is fitted to the means over all :math:`d` of "
        "its experiment, with the interval over resampled seeds; a claim about a limit says so, and has the "
        "prediction continued to large :math:`d`."
    ),
    "prediction without a fit parameter": (
        "The expected number of items at the very :math:`d`, :math:`N` and frequencies of the run, item by "
        "item: how far an optimizer lifts an item's score, up to where it is full, over the noise of the "
        "others. Nothing in it is fitted to counts, and no matrix is simulated. It keeps effects of finite "
        "size that the theorems drop. Fitted at the same :math:`d` as the measurement, it tells how far from "
        "the theory's exponent a run of this size should be. Maps of your own have none."
    ),
    "recall in context": (
        "A transformer of two layers sees pairs of a trigger and an output twice in a sequence, between noise, "
        "and is to tell the second output. **ID**: sequences with the frequencies of training; **OOD**: with "
        "uniform ones. **Memory recall** is the share of outputs that the value matrices of its second layer "
        "map to themselves."
    ),
}
"""RST by RST, in the order in which they are read."""
