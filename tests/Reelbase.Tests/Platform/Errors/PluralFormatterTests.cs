using System.Text.Json;
using System.Text.RegularExpressions;
using Reelbase.Server.Platform.Errors;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Platform;

/// <summary>Numbers in messages, as each language counts.</summary>
[Quick]
public sealed class PluralFormatterTests
{
    [Theory]
    [InlineData("en", 0, "0 credits")]
    [InlineData("en", 1, "1 credit")]
    [InlineData("en", 2, "2 credits")]
    [InlineData("en", -1, "-1 credits")]
    [InlineData("en", 1234567, "1,234,567 credits")]
    [InlineData("tr", 1, "1 kredi")]
    [InlineData("tr", 12345, "12.345 kredi")]
    [InlineData("es", 1, "1 crédito")]
    [InlineData("es", 0, "0 créditos")]
    [InlineData("es", 1234, "1234 créditos")]
    [InlineData("es", 12345, "12.345 créditos")]
    public void Credits_are_counted(string language, long number, string text) => Assert.Equal(text, PluralFormatter.Count(number, "credits", language));

    [Theory]
    [InlineData("en", 1, "1 second")]
    [InlineData("en", 59, "59 seconds")]
    [InlineData("en", 60, "1 minute")]
    [InlineData("en", 61, "2 minutes")]
    [InlineData("en", 3540, "59 minutes")]
    [InlineData("en", 3600, "1 hour")]
    [InlineData("es", 7200, "2 horas")]
    [InlineData("tr", 120, "2 dakika")]
    public void Times_are_said_and_never_too_short(string language, long seconds, string text) =>
        Assert.Equal(text, PluralFormatter.Duration(seconds, language));

    [Fact]
    public void A_message_has_its_numbers_when_they_are_known_and_is_plain_when_not()
    {
        var entry = ErrorCatalog.Find("ERR_4001");
        var details = JsonDocument.Parse("""{"required":8,"available":1}""").RootElement;
        Assert.Equal("This video costs 8 credits and you have 1 credit.", entry.Message("en", details));
        Assert.Equal("Bu video 8 kredi tutuyor, sizde 1 kredi var.", entry.Message("tr", details));
        Assert.Equal("Este video cuesta 8 créditos y tienes 1 crédito.", entry.Message("es", details));
        Assert.Equal(entry.En, entry.Message("en", JsonDocument.Parse("""{"required":8}""").RootElement));
        Assert.Equal(entry.Es, entry.Message("es"));
    }

    [Fact]
    public void Every_entry_has_every_language_the_same_numbers_in_each_and_something_to_do_next()
    {
        foreach (var entry in ErrorCatalog.All)
        {
            Assert.All([entry.En, entry.Tr, entry.Es, entry.Next, entry.Meaning], text => Assert.False(string.IsNullOrWhiteSpace(text), entry.Code));
            Assert.Equal(3, new[] { entry.En, entry.Tr, entry.Es }.Distinct().Count());
            if (entry.WithNumbers is { } numbers)
            {
                var places = new[] { numbers.En, numbers.Tr, numbers.Es }
                    .Select(text => string.Join(' ', Regex.Matches(text, @"\{[^}]*\}").Select(match => match.Value).Order(StringComparer.Ordinal)))
                    .Distinct()
                    .ToList();
                Assert.NotEqual("", Assert.Single(places));
            }
        }
    }
}
