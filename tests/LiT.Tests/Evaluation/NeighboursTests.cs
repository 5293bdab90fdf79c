using LiT.Evaluation;

namespace LiT.Tests.Evaluation;

public class NeighboursTests
{
    private static readonly Embeddings Train = new([1, 0, .9f, .1f, 0, 2, .1f, .9f], 2);
    private static readonly int[] TrainLabels = [0, 0, 1, 1];

    [Fact]
    public void The_nearest_neighbours_vote_by_their_similarity()
    {
        Embeddings test = new([3, .2f, .2f, 3, 1, .9f], 2);
        var scores = Neighbours.Score(Train, TrainLabels, test, [0, 1, 1], 2, [1, 3, 99]);
        Assert.Equal([1, 3, 4], scores.Select(score => score.K)); // there are only four
        Assert.Equal([2 / 3.0, 2 / 3.0], scores.Take(2).Select(score => score.Top1)); // the third is on the other side
        Assert.Equal(1, scores[2].Top5);
    }

    [Fact]
    public void A_picture_of_a_class_that_training_lacks_counts_as_wrong()
    {
        Embeddings test = new([3, .2f, .2f, 3, 1, 0], 2);
        var score = Neighbours.Score(Train, TrainLabels, test, [0, 1, 2], 2, [1])[0];
        Assert.Equal((3, 2 / 3.0, 2 / 3.0), (score.N, score.Top1, score.MeanPerClass));
        Assert.Equal(2 / 3.0, score.Top5);
    }

    [Fact]
    public void Few_shot_draws_are_seeded_and_more_pictures_do_no_harm_on_what_a_line_separates()
    {
        var random = new Random(2);
        float[] values =
        [
            .. Enumerable
                .Range(0, 120)
                .SelectMany(i =>
                    (float[])[(i % 2 == 0 ? 2 : -2) + (float)random.NextDouble(), (float)random.NextDouble()]
                ),
        ];
        int[] labels = [.. Enumerable.Range(0, 120).Select(i => i % 2)];
        Embeddings all = new(values, 2);
        var (one, again) = (
            LinearProbe.FewShot(all, labels, all, labels, 2, [1, 16], draws: 3, seed: 5),
            LinearProbe.FewShot(all, labels, all, labels, 2, [1, 16], draws: 3, seed: 5)
        );
        Assert.Equal(one[0].Each, again[0].Each);
        Assert.Equal(3, one[0].Each.Count);
        Assert.Equal(1, one[1].Top1);
        Assert.InRange(one[0].Top1, 0.5, 1);
    }

    [Fact]
    public void The_penalties_that_were_tried_are_told()
    {
        var score = LinearProbe.Score(
            new([.. Enumerable.Range(0, 40).Select(i => (float)(i % 2))], 1),
            [.. Enumerable.Range(0, 40).Select(i => i % 2)],
            new([0, 1], 1),
            [0, 1],
            2
        );
        Assert.Equal(1, score.Top1);
        Assert.Contains(score.Penalty, score.Trials.Select(trial => trial.Penalty));
        Assert.True(score.Trials.Count > 6);
    }
}
