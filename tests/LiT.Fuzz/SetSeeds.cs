using System.Text;
using LiT.Tests.Data.Sets;

namespace LiT.Fuzz;

/// <summary>The files of some public test sets, a few pictures each, made when they are first asked for.</summary>
internal static class SetSeeds
{
    private static readonly Lazy<string> Made = new(Make);

    /// <summary>A folder for each set; it goes with the process.</summary>
    public static string Folder => Made.Value;

    private static string Make()
    {
        var folder = Directory.CreateTempSubdirectory("lit-fuzz-sets-").FullName;
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(folder, recursive: true);
        void Write(string name, byte[] content)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(folder, name))!);
            File.WriteAllBytes(Path.Combine(folder, name), content);
        }
        void Text(string name, string content) => Write(name, Encoding.UTF8.GetBytes(content));

        byte[] pixels = [.. Enumerable.Range(0, 4 * 4 * 3 * 5).Select(i => (byte)i)];
        foreach (var compressed in new[] { true, false })
        {
            var part = compressed ? "packed" : "plain";
            Write(
                $"svhn/{part}/test_32x32.mat",
                MatBytes.File(
                    compressed,
                    MatBytes.Bytes("X", pixels, 4, 4, 3, 5),
                    MatBytes.SmallNumbers("y", 1, 10, 3, 4, 5)
                )
            );
            Write(
                $"flowers102/{part}/imagelabels.mat",
                MatBytes.File(compressed, MatBytes.Numbers("labels", 77, 1, 102))
            );
            Write(
                $"flowers102/{part}/setid.mat",
                MatBytes.File(compressed, MatBytes.SmallNumbers("trnid", 2), MatBytes.SmallNumbers("tstid", 1, 3))
            );
        }
        Write("cifar10/test_batch.bin", [0, .. CifarPickle.Planes(0), 9, .. CifarPickle.Planes(1)]);
        Write("cifar100/test.bin", [1, 0, .. CifarPickle.Planes(0), 2, 99, .. CifarPickle.Planes(1)]);
        Write("cifar10/test_batch", CifarPickle.Batch("labels", [0, 9]));
        Text(
            "coco/captions_val2017.json",
            """{"images": [{"id": 7, "file_name": "a.jpg"}, {"id": 9, "file_name": "b.jpg"}], "annotations": [{"image_id": 7, "caption": " one"}, {"image_id": 9, "caption": "two"}, {"image_id": 7, "caption": "three"}]}"""
        );
        Text(
            "coco/dataset_coco.json",
            """{"images": [{"split": "test", "filename": "a.jpg", "filepath": "val2014", "sentences": [{"raw": "one "}, {"raw": "two"}]}, {"split": "train", "filename": "b.jpg", "sentences": []}]}"""
        );
        Text("flickr30k/results_20130124.token", "1.jpg#0\tA dog .\n1.jpg#1\tA brown dog .\n2.jpg#0\tA cat .\n");
        Text(
            "xm3600/captions.jsonl",
            """{"image/key": "a", "image/locale": "de", "de": {"caption": ["ein Hund", "zwei"]}, "en": {"caption": ["a dog"]}}"""
                + "\n"
                + """{"image/key": "b", "en": {"caption": ["a cat"]}}"""
                + "\n"
        );
        Text(
            "wit/wit_v1.test.all-00000.tsv",
            "language\tpage_url\timage_url\tcaption_reference_description\nen\tx\thttps://example.org/a/A%20b.jpg\ta "
                + "bridge\nde\ty\thttps://example.org/a/A%20b.jpg\teine Brücke\n"
        );
        return folder;
    }
}
