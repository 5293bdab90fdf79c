namespace LiT.Tests;

public class SplitMix64Tests
{
    [Fact]
    public void The_numbers_are_those_of_the_published_generator()
    {
        // Vigna's splitmix64.c with the state 1234567.
        ulong state = 1234567;
        ulong[] numbers = [.. Enumerable.Range(0, 5).Select(_ => SplitMix64.Next(ref state))];
        Assert.Equal(
            [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431, 16408922859458223821],
            numbers
        );
    }
}
