using LiT.Compute;
using static TorchSharp.torch;

namespace LiT.Tests.Compute;

/// <summary>The executor: every part once, whole, on one thread, whatever the caller has set.</summary>
public sealed class PartsTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(100)]
    public void Every_part_is_done_once_with_one_thread_of_libtorchs(int count)
    {
        using var threads = Parts.Use(3);
        var done = new int[count];
        Parts.Run(count, part =>
        {
            Assert.Equal(1, get_num_threads());
            Interlocked.Increment(ref done[part]);
        });
        Assert.All(done, times => Assert.Equal(1, times));
        Assert.Equal(3, get_num_threads());
    }

    [Fact]
    public void What_a_part_throws_is_thrown_and_the_number_of_threads_comes_back()
    {
        using var threads = Parts.Use(3);
        var done = 0;
        var failure = Assert.Throws<LitException>(() => Parts.Run(9, part =>
            {
                Interlocked.Increment(ref done);
                throw new LitException($"part {part}");
            }));
        Assert.StartsWith("part ", failure.Message, StringComparison.Ordinal);
        Assert.InRange(done, 1, 3); // what was under way when the first one failed
        Assert.Equal(3, get_num_threads());
        Parts.Run(1, _ => Assert.Equal(1, get_num_threads())); // and there is work after it
    }

    [Fact]
    public void Parts_inside_a_part_stay_on_its_thread()
    {
        using var threads = Parts.Use(3);
        Parts.Run(4, _ =>
        {
            var own = Environment.CurrentManagedThreadId;
            var inner = 0;
            Parts.Run(5, _ =>
            {
                Assert.Equal(own, Environment.CurrentManagedThreadId);
                inner++;
            });
            Assert.Equal(5, inner);
        });
    }

    [Fact]
    public void Parts_compute_as_their_caller_does()
    {
        using var threads = Parts.Use(3);
        using var forced = Processor.Use(Isa.Portable);
        foreach (var wanted in (bool[])[true, false])
        {
            using var mode = set_grad_enabled(wanted);
            Parts.Run(20, _ =>
            {
                Thread.Sleep(1); // so that every thread takes some
                Assert.Equal(wanted, is_grad_enabled());
                Assert.Equal(Isa.Portable, Processor.Isa);
            });
        }
    }

    [Fact]
    public void Callers_on_many_threads_do_not_wait_for_each_other_and_lose_nothing()
    {
        var sums = new long[8];
        var callers = Enumerable
            .Range(0, sums.Length)
            .Select(caller => new Thread(() =>
            {
                using var threads = Parts.Use(1 + caller % 3);
                for (var turn = 0; turn < 200; turn++)
                    Parts.Run(1 + turn % 7, part => Interlocked.Add(ref sums[caller], part + 1));
            }))
            .ToList();
        callers.ForEach(caller => caller.Start());
        Assert.All(callers, caller => Assert.True(caller.Join(TimeSpan.FromSeconds(60))));
        var expected = Enumerable.Range(0, 200).Sum(turn => Enumerable.Range(1, 1 + turn % 7).Sum());
        Assert.All(sums, sum => Assert.Equal(expected, sum));
    }

    [Theory]
    [InlineData(0, 10)]
    [InlineData(10, 10)]
    [InlineData(11, 10)]
    [InlineData(95, 10)]
    public void Pieces_are_cut_at_the_same_places_for_any_number_of_threads(long length, long piece)
    {
        var expected = Enumerable
            .Range(0, (int)((length + piece - 1) / piece))
            .Select(i => (i * piece, Math.Min(length, (i + 1) * piece)));
        foreach (var count in (int[])[1, 2, 3])
        {
            using var threads = Parts.Use(count);
            List<(long, long)> cut = [];
            Parts.For(length, piece, (from, to) =>
            {
                lock (cut)
                    cut.Add((from, to));
            });
            Assert.Equal(expected, cut.Order());
        }
    }
}
