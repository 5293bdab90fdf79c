"""Debian's python3-faiss on the rows of a store: flat, IVF and HNSW, asked one by one.

usage: python3 faiss_peer.py ROWS.f32 SIZE QUERIES.f32 TRUTH.i64 KEPT.i64|- LISTS THREADS again|- HNSW_FILE
Prints lines of: way, setting, recall of the nearest ten, seconds a query. KEPT names the rows that a filter keeps; 'again'
takes three in ten out and puts them in again first. The graph is made once and kept in HNSW_FILE.
"""

import os
import sys
import time

import faiss
import numpy as np

rows_path, size, queries_path, truth_path, kept_path, lists, threads, again, hnsw_path = sys.argv[1:10]
size, lists = int(size), int(lists)
faiss.omp_set_num_threads(int(threads))
rows = np.fromfile(rows_path, dtype=np.float32).reshape(-1, size)
queries = np.fromfile(queries_path, dtype=np.float32).reshape(-1, size)
truth = np.fromfile(truth_path, dtype=np.int64).reshape(len(queries), -1)
kept = None if kept_path == "-" else np.fromfile(kept_path, dtype=np.int64)
selector = None
if kept is not None:
    bits = np.zeros((len(rows) + 7) // 8, dtype=np.uint8)
    np.bitwise_or.at(bits, kept >> 3, (1 << (kept & 7)).astype(np.uint8))
    selector = faiss.IDSelectorBitmap(bits)  # the fastest there is
allowed = None if kept is None else set(kept.tolist())


def measure(way, setting, search):
    search(queries[:1])
    best, began = None, time.perf_counter()
    for _ in range(3):
        start = time.perf_counter()
        found = [search(queries[i : i + 1])[0] for i in range(len(queries))]
        seconds = (time.perf_counter() - start) / len(queries)
        best = seconds if best is None else min(best, seconds)
        if time.perf_counter() - began > 2:
            break  # long enough to tell
    if allowed is not None:  # whatever the filter did not keep counts for nothing
        found = [[i for i in f if i in allowed] for f in found]
    recall = np.mean([len(set(f[:10]) & set(t)) / max(1, (t >= 0).sum()) for f, t in zip(found, truth)])
    print(f"{way}\t{setting}\t{recall:.4f}\t{best:.9f}", flush=True)
    return recall


def asking(index, make):
    if selector is None:
        return lambda q: index.search(q, 10)[1]
    parameters = make()
    parameters.sel = selector
    return lambda q: index.search(q, 10, params=parameters)[1]


flat = faiss.IndexFlatIP(size)
flat.add(rows)
measure("faiss flat", "all", asking(flat, faiss.SearchParameters))

quantizer = faiss.IndexFlatIP(size)
ivf = faiss.IndexIVFFlat(quantizer, size, lists, faiss.METRIC_INNER_PRODUCT)
ivf.train(rows[:: max(1, len(rows) // (48 * lists))])
ivf.add(rows)
if again == "again":
    ids = np.arange(len(rows) - 1, -1, -1, dtype=np.int64)
    ids = ids[np.isin(ids % 10, (1, 4, 8))]
    ivf.remove_ids(ids)
    ivf.add_with_ids(rows[ids], ids)


def probing(count):
    def make():
        parameters = faiss.SearchParametersIVF()
        parameters.nprobe = count
        return parameters

    return make


count = 1
while count < lists:
    ivf.nprobe = count
    if measure("faiss IVF", f"{count} of {lists} lists", asking(ivf, probing(count))) > 0.9995:
        break
    count *= 2

# A graph of faiss takes nothing out again.
if again != "again":
    if os.path.exists(hnsw_path):
        hnsw = faiss.read_index(hnsw_path)
    else:
        hnsw = faiss.IndexHNSWFlat(size, 16, faiss.METRIC_INNER_PRODUCT)
        hnsw.hnsw.efConstruction = 128
        hnsw.add(rows)
        faiss.write_index(hnsw, hnsw_path)

    def expanding(ef):
        def make():
            parameters = faiss.SearchParametersHNSW()
            parameters.efSearch = ef
            return parameters

        return make

    for ef in (16, 64, 256, 1024):
        hnsw.hnsw.efSearch = ef
        if measure("faiss HNSW", f"ef {ef}", asking(hnsw, expanding(ef))) > 0.9995:
            break
