using System.Security.Cryptography;
using System.Text;
using Reelbase.Server.Features.Credits.PromoCodes;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Features;

/// <summary>A promo code as people write it, and the one form that is hashed.</summary>
[Quick]
public sealed class PromoCodeTextTests
{
    [Theory]
    [InlineData("SUMMER25", "SUMMER25")]
    [InlineData("summer25", "SUMMER25")]
    [InlineData(" sum-mer_2\t5\u00a0", "SUMMER25")]
    [InlineData("a", "A")]
    [InlineData("", null)]
    [InlineData(" - _ ", null)]
    [InlineData("SUMMER.25", null)]
    [InlineData("SÜMMER", null)]
    [InlineData("２５", null)]
    public void Blanks_dashes_and_small_letters_make_no_difference_and_nothing_else_is_let_in(string text, string? code) =>
        Assert.Equal(code, PromoCode.Normalize(text));

    [Theory]
    [InlineData(40, true)]
    [InlineData(41, false)]
    public void A_code_has_no_more_than_forty_letters(int length, bool isCode) =>
        Assert.Equal(isCode, PromoCode.Normalize(string.Join('-', new string('A', length).ToCharArray())) is not null);

    [Theory]
    [InlineData("ABCDEFGHIJ", "GHIJ")]
    [InlineData("ABCDEFGHI", "HI")]
    [InlineData("ABCDEF", "EF")]
    public void A_hint_shows_few_letters_and_fewer_of_a_short_code(string code, string hint) => Assert.Equal(hint, PromoCode.Hint(code));

    [Fact]
    public void New_codes_have_three_groups_of_four_without_letters_that_are_easily_confused()
    {
        var codes = Enumerable.Range(0, 200).Select(_ => PromoCode.New()).ToList();
        Assert.All(codes, code => Assert.Matches(@"\A[A-HJKMNP-TV-Z2-9]{4}(-[A-HJKMNP-TV-Z2-9]{4}){2}\z", code));
        Assert.Equal(codes.Count, codes.Distinct().Count());
        Assert.Equal(codes[0].Replace("-", "", StringComparison.Ordinal), PromoCode.Normalize(codes[0]));
    }

    [Fact]
    public void A_hash_needs_the_secret_of_the_installation()
    {
        var keys = SigningKeys.Load(SigningKeys.New());
        Assert.Equal(HMACSHA256.HashData(keys.Derive("promo codes"), Encoding.ASCII.GetBytes("SUMMER25")), PromoCode.Hash(keys, "SUMMER25"));
        Assert.NotEqual(PromoCode.Hash(keys, "SUMMER25"), PromoCode.Hash(SigningKeys.Load(SigningKeys.New(), new string('t', 32), []), "SUMMER25"));
    }
}
