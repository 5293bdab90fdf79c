using LiT.Pretraining;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace LiT.Tests.Tuning;

public class MomentumSgdTests
{
    [Fact]
    public void It_moves_as_torchs_nesterov_sgd_does_with_decay_on_kernels_only()
    {
        using var scope = NewDisposeScope();
        var (kernel, bias) = (
            new Parameter(
                tensor(
                    new[,]
                    {
                        { 1f, -2f },
                        { 3f, .5f },
                    }
                )
            ),
            new Parameter(tensor(new[] { 1f, -1f }))
        );
        var (otherKernel, otherBias) = (new Parameter(kernel.detach().clone()), new Parameter(bias.detach().clone()));
        using var ours = new MomentumSgd([("kernel", kernel), ("bias", bias)], momentum: 0.9, weightDecay: 0.1);
        using var torchsKernel = optim.SGD([otherKernel], 0.2, momentum: 0.9, weight_decay: 0.1, nesterov: true);
        using var torchsBias = optim.SGD([otherBias], 0.2, momentum: 0.9, nesterov: true);
        for (var step = 0; step < 5; step++)
        {
            ours.Clear();
            torchsKernel.zero_grad();
            torchsBias.zero_grad();
            Loss(kernel, bias).backward();
            Loss(otherKernel, otherBias).backward();
            ours.Step(0.2);
            torchsKernel.step();
            torchsBias.step();
        }
        Assert.Equal(otherKernel.data<float>().ToArray(), kernel.data<float>().ToArray(), Close);
        Assert.Equal(otherBias.data<float>().ToArray(), bias.data<float>().ToArray(), Close);

        static Tensor Loss(Tensor kernel, Tensor bias) =>
            kernel.matmul(tensor(new[] { .3f, -.7f })).add(bias).square().sum();
        static bool Close(float a, float b) => Math.Abs(a - b) < 1e-5f; // a few roundings of float32
    }

    [Fact]
    public void It_tells_the_length_of_the_gradient_and_does_not_move_along_one_that_is_no_number()
    {
        using var scope = NewDisposeScope();
        var bias = new Parameter(tensor(new[] { 1f, 2f }));
        using var sgd = new MomentumSgd([("bias", bias)], 0.9, 0);
        (bias * tensor(new[] { 3f, 4f })).sum().backward();
        Assert.Equal(5, sgd.Step(0), 5);
        sgd.Clear();
        (bias * tensor(new[] { float.NaN, 4f })).sum().backward();
        Assert.True(double.IsNaN(sgd.Step(1)));
        Assert.Equal([1f, 2f], bias.data<float>().ToArray());
    }
}
