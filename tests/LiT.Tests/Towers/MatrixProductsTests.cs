using LiT.Benchmarks;
using LiT.Towers;

namespace LiT.Tests.Towers;

public sealed class MatrixProductsTests
{
    // GFLOPs as published are multiply-adds: twice as many operations. The heads (2 MFLOPs) are not counted here.
    [Theory]
    [InlineData("50", 4.09)]
    [InlineData("18", 1.81)]
    [InlineData("152", 11.51)]
    public void A_resnet_has_its_published_number_of_multiplications(string variant, double billions) =>
        Assert.Equal(
            billions,
            MatrixProducts.Of(ResNetConfig.Named(variant)).Sum(product => product.Flops) / 2e9,
            0.02
        );

    // 17.58 is published for the whole of ViT-B/16; the last block's other tokens (6.8% of the work) are not computed
    // here.
    [Fact]
    public void A_vit_is_counted_for_what_it_computes()
    {
        var config = VitConfig.Named("B/16");
        Assert.Equal(
            17.5,
            MatrixProducts
                .Of(config with { Pooling = VitPooling.Mean, Positions = VitPositions.Learned })
                .Sum(product => product.Flops) / 2e9,
            0.1
        );
        Assert.InRange(MatrixProducts.Of(config).Sum(product => product.Flops) / 2e9, 16.2, 16.6);
    }
}
