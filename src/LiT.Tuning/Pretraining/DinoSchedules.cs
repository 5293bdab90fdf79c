namespace LiT.Pretraining;

/// <summary>
/// What changes over a run of DINO, as the authors' program computes it (facebookresearch/dino, utils.py,
/// cosine_scheduler; main_dino.py, DINOLoss). Steps and epochs count from 0.
/// </summary>
internal static class DinoSchedules
{
    /// <summary>
    /// A straight line from zero up to the first value, which it reaches at the last step of the warm-up; then half a
    /// cosine from the first value to the last, which it would reach one step after the end.
    /// </summary>
    /// <param name="first">The value after the warm-up.</param>
    /// <param name="last">The value at the end.</param>
    /// <param name="step">Which step.</param>
    /// <param name="steps">Steps in all.</param>
    /// <param name="warmup">Steps of the warm-up.</param>
    public static double Cosine(double first, double last, long step, long steps, long warmup = 0)
    {
        if (step < warmup)
            return warmup == 1 ? 0 : first * step / (warmup - 1);
        var progress = (step - warmup) / (double)(steps - warmup);
        return last + 0.5 * (first - last) * (1 + Math.Cos(Math.PI * progress));
    }

    /// <summary>
    /// The teacher's temperature in an epoch: a straight line from the first value to the last, which it reaches in the
    /// last epoch of the warm-up.
    /// </summary>
    public static double TeacherTemperature(double first, double last, long epoch, int warmup) =>
        epoch >= warmup ? last
        : warmup == 1 ? first
        : first + (last - first) * epoch / (warmup - 1);
}
