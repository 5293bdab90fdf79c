"""Debian's python3-faiss on the rows of a store: flat, IVF and HNSW, asked one by one.

usage: python3 faiss_peer.py ROWS.f32 SIZE QUERIES.f32 TRUTH.i64 KEPT.i64|- LISTS THREADS
Prints lines of: way, setting, recall of the nearest ten, seconds a query. KEPT names the rows that a filter keeps.
"""

import sys
import time

import faiss
import numpy as np

rows_path, size, queries_path, truth_path, kept_path, lists, threads = sys.argv[1:8]
size, lists = int(size), int(lists)
faiss.omp_set_num_threads(int(threads))
rows = np.fromfile(rows_path, dtype=np.float32).reshape(-1, size)
queries = np.fromfile(queries_path, dtype=np.float32).reshape(-1, size)
truth = np.fromfile(truth_path, dtype=np.int64).reshape(len(queries), -1)
kept = None if kept_path == "-" else np.fromfile(kept_path, dtype=np.int64)
selector = None if kept is None else faiss.IDSelectorBatch(kept)


def measure(way, setting, search):
    search(queries[:1])
    best = None
    for _ in range(3):
        start = time.perf_counter()
        found = [search(queries[i : i + 1])[0] for i in range(len(queries))]
        seconds = (time.perf_counter() - start) / len(queries)
        best = seconds if best is None else min(best, seconds)
    recall = np.mean([len(set(f[:10]) & set(t)) / max(1, (t >= 0).sum()) for f, t in zip(found, truth)])
    print(f"{way}\t{setting}\t{recall:.4f}\t{best:.9f}", flush=True)


def with_parameters(index, make):
    if selector is None:
        return lambda q: index.search(q, 10)[1]
    parameters = make()
    parameters.sel = selector
    return lambda q: index.search(q, 10, params=parameters)[1]


flat = faiss.IndexFlatIP(size)
flat.add(rows)
measure("faiss flat", "all", with_parameters(flat, faiss.SearchParameters))

quantizer = faiss.IndexFlatIP(size)
ivf = faiss.IndexIVFFlat(quantizer, size, lists, faiss.METRIC_INNER_PRODUCT)
ivf.train(rows[:: max(1, len(rows) // (48 * lists))])
ivf.add(rows)


def probing(count):
    def make():
        parameters = faiss.SearchParametersIVF()
        parameters.nprobe = count
        return parameters

    return make


for count in (1, 4, 16, 64, 256):
    if count < lists:
        ivf.nprobe = count
        measure("faiss IVF", f"{count} of {lists} lists", with_parameters(ivf, probing(count)))

if "hnsw" in sys.argv[8:]:
    hnsw = faiss.IndexHNSWFlat(size, 16, faiss.METRIC_INNER_PRODUCT)
    hnsw.hnsw.efConstruction = 100
    start = time.perf_counter()
    faiss.omp_set_num_threads(int(threads))
    hnsw.add(rows)
    print(f"faiss HNSW\tmade\t1\t{time.perf_counter() - start:.3f}", flush=True)
    for ef in (16, 64, 256, 1024):
        hnsw.hnsw.efSearch = ef
        if selector is None:
            measure("faiss HNSW", f"ef {ef}", lambda q: hnsw.search(q, 10)[1])
