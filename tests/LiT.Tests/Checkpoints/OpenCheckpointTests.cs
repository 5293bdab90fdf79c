using System.Text;
using LiT.Checkpoints;
using static TorchSharp.torch;

namespace LiT.Tests.Checkpoints;

public sealed class OpenCheckpointTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("", "the file is empty. Download or copy it again.")]
    [InlineData(
        "\n <!DOCTYPE html>\n<html lang=en>",
        "is a web page, saved in place of the checkpoint. Download the file again, by its direct link."
    )]
    [InlineData(
        "<?xml version='1.0'?><Error>",
        "is a web page, saved in place of the checkpoint. Download the file again, by its direct link."
    )]
    [InlineData(
        "version https://git-lfs.github.com/spec/v1\noid sha256:4d",
        "is a Git LFS pointer, not the file itself. Run 'git lfs pull', or download the file."
    )]
    [InlineData("\x1F\x8B\b........", "is a gzip file, no checkpoint. Unpack it first.")]
    [InlineData("\x93NUMPY\x01", "is a single .npy array, no checkpoint. Give an .npz of named arrays.")]
    [InlineData(
        "\x80\x02}q\x00.",
        "is a pickle, but none that torch.save wrote, no checkpoint. Load it in Python and save its "
            + "tensors as .safetensors."
    )]
    [InlineData("0123456789abcdef", "is no checkpoint. Give an .npz, .safetensors or PyTorch .pth file.")]
    [InlineData("{\"a\": [}", "is no index of a checkpoint in several files. Give the file with the weights.")]
    [InlineData(
        "{\"a\": {\"b\": 1}}",
        "names no tensor. The index is damaged or belongs to other files; download all of them again."
    )]
    [InlineData("PK\x03\x04........................", "the file is cut off or damaged. Download or copy it again.")]
    public void What_is_no_checkpoint_is_called_by_its_name_whatever_the_file_is_called(string content, string expected)
    {
        File.WriteAllBytes(folder["model.safetensors"], Encoding.Latin1.GetBytes(content));
        var refusal = Assert.Throws<LitException>(() => Checkpoint.Open(folder["model.safetensors"]));
        Assert.Equal($"{folder["model.safetensors"]}: {expected}", refusal.Message);
    }

    [Fact]
    public void A_missing_file_and_an_empty_folder_are_told_apart()
    {
        Assert.Equal(
            $"{folder["x.npz"]}: there is no such file. Check the path.",
            Assert.Throws<LitException>(() => Checkpoint.Open(folder["x.npz"])).Message
        );
        Assert.Equal(
            $"{folder.Path}: the folder has no model.safetensors, model.safetensors.index.json, pytorch_model.bin, "
                + "pytorch_model.bin.index.json. Give the checkpoint file itself.",
            Assert.Throws<LitException>(() => Checkpoint.Open(folder.Path)).Message
        );
    }

    [Fact]
    public void The_content_decides_and_not_the_ending()
    {
        using var tensor = arange(6).reshape(2, 3);
        Npz.Write(folder["weights.safetensors"], [("a/b", tensor)]);
        Safetensors.Write(
            folder["weights.npz"],
            [("a.b", tensor)],
            new Dictionary<string, string> { ["note"] = "grün" }
        );

        using var npz = Checkpoint.Open(folder["weights.safetensors"]);
        Assert.Equal("npz", npz.Container);
        Assert.Equal(["a/b"], npz.Tensors.Keys);
        using var safetensors = Checkpoint.Open(folder["weights.npz"]);
        Assert.Equal("safetensors", safetensors.Container);
        Assert.Equal("grün", safetensors.Metadata["note"]);
        Assert.Equal(ScalarType.Int64, safetensors.Tensors["a.b"].Type);
        Assert.Equal([2, 3], safetensors.Tensors["a.b"].Shape);
        Assert.Equal(6, safetensors.Tensors["a.b"].Count);
    }

    [Fact]
    public void A_folder_and_an_index_open_what_they_name()
    {
        using var one = ones(2);
        using var two = zeros(3);
        Safetensors.Write(folder["one.safetensors"], [("a", one)]);
        Safetensors.Write(folder["two.safetensors"], [("b", two)]);
        File.WriteAllText(
            folder["model.safetensors.index.json"],
            """{"metadata": {"x": [1, {}]}, "weight_map": {"a": "one.safetensors", "b": "two.safetensors"}, "more": null}"""
        );
        using (var checkpoint = Checkpoint.Open(folder.Path))
        {
            Assert.Equal("safetensors in 2 files", checkpoint.Container);
            Assert.Equal(["a", "b"], checkpoint.Tensors.Keys);
            using var read = checkpoint.Read("a");
            TensorValues.AssertSame(one, read, "a");
        }
        File.Delete(folder["two.safetensors"]);
        Assert.Equal(
            $"{folder["two.safetensors"]}: the file is missing, where model.safetensors.index.json expects "
                + "it. Download it, too.",
            Assert.Throws<LitException>(() => Checkpoint.Open(folder.Path)).Message
        );

        Safetensors.Write(folder["model.safetensors"], [("whole", one)]);
        using var whole = Checkpoint.Open(folder.Path);
        Assert.Equal(["whole"], whole.Tensors.Keys);
    }

    [Theory]
    [InlineData("../one.safetensors")]
    [InlineData("/etc/passwd")]
    [InlineData("..")]
    [InlineData("")]
    public void An_index_reads_nothing_outside_of_its_folder(string shard)
    {
        File.WriteAllText(folder["model.safetensors.index.json"], $"{{\"weight_map\": {{\"a\": \"{shard}\"}}}}");
        Assert.Contains(
            $"puts a into '{shard}', which is no file beside it",
            Assert.Throws<LitException>(() => Checkpoint.Open(folder.Path)).Message
        );
    }

    [Fact]
    public void A_tensor_stays_when_its_checkpoint_is_closed_and_writing_to_it_changes_no_file()
    {
        using var tensor = arange(1000, ScalarType.Float32);
        foreach (
            var (name, write) in new (string, Action<string>)[]
            {
                ("a.safetensors", path => Safetensors.Write(path, [("w", tensor)])),
                ("a.npz", path => Npz.Write(path, [("w", tensor)])),
            }
        )
        {
            write(folder[name]);
            var before = File.ReadAllBytes(folder[name]);
            Tensor read;
            using (var checkpoint = Checkpoint.Open(folder[name]))
                read = checkpoint.Read("w");
            GC.Collect();
            TensorValues.AssertSame(tensor, read, name);
            read.add_(1);
            Assert.Equal(before, File.ReadAllBytes(folder[name]));
            read.Dispose();
        }
    }

    [Fact]
    public void An_unknown_name_says_how_to_see_the_known_ones()
    {
        using var tensor = ones(1);
        Safetensors.Write(folder["x"], [("w", tensor)]);
        using var checkpoint = Checkpoint.Open(folder["x"]);
        Assert.Equal(
            $"{folder["x"]}: has no tensor b. 'lit models show' lists what it has.",
            Assert.Throws<LitException>(() => checkpoint.Read("b")).Message
        );
    }

    [Fact]
    public void Published_weights_of_old_PyTorch_open()
    {
        using var checkpoint = Checkpoint.Open(SharedData.PathOf("cifar10_resnet", "resnet20-12fca82f.th"));
        Assert.Equal("PyTorch legacy", checkpoint.Container);
        using var weight = checkpoint.Read("state_dict.module.conv1.weight");
        Assert.Equal([16, 3, 3, 3], weight.shape);
        Assert.InRange(weight.abs().mean().item<float>(), 0.01f, 1f);
        Assert.Equal(
            20 - 1,
            checkpoint.Tensors.Keys.Count(name =>
                name.Contains("conv", StringComparison.Ordinal) && name.EndsWith("weight", StringComparison.Ordinal)
            )
        );
    }
}
