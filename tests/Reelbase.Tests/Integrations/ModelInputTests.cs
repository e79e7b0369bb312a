using System.Text.Json;
using Reelbase.Server.Integrations;
using Reelbase.Server.Integrations.Fal;
using Reelbase.Server.Integrations.Runway;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Integrations;

/// <summary>A request is written as its model's row says, and the adapters know no model.</summary>
[Quick]
public sealed partial class ModelInputTests
{
    [Theory]
    // The same eight seconds in each of the types.
    [InlineData("""{"settings":{"duration":{"field":"duration","type":"integer"}}}""", """{"duration":8}""", """{"prompt":"x","duration":8}""")]
    [InlineData("""{"settings":{"duration":{"field":"seconds","type":"digits"}}}""", """{"duration":8}""", """{"prompt":"x","seconds":"8"}""")]
    [InlineData("""{"settings":{"duration":{"field":"duration","type":"digits","suffix":"s"}}}""", """{"duration":8}""", """{"prompt":"x","duration":"8s"}""")]
    [InlineData("""{"settings":{"duration":{"field":"length","type":"text"}}}""", """{"duration":8}""", """{"prompt":"x","length":"8"}""")]
    // An option that the vendor calls otherwise.
    [InlineData(
        """{"settings":{"resolution":{"field":"quality","type":"text","values":{"720p":"768P"}}}}""",
        """{"resolution":"720p"}""",
        """{"prompt":"x","quality":"768P"}"""
    )]
    [InlineData("""{"settings":{"audio":{"field":"sound","values":{"true":"on","false":"off"}}}}""", """{"audio":false}""", """{"prompt":"x","sound":"off"}""")]
    // What is always sent, and nothing that the row does not list.
    [InlineData("""{"always":{"mode":"fast"},"settings":{}}""", """{"seed":4}""", """{"prompt":"x","mode":"fast"}""")]
    // One field of two settings.
    [InlineData(
        """{"combined":[{"field":"size","settings":["aspect_ratio","resolution"],"values":{"16:9":"a","16:9|1080p":"b"},"default":"c"}]}""",
        """{"aspect_ratio":"16:9","resolution":"1080p"}""",
        """{"prompt":"x","size":"b"}"""
    )]
    [InlineData(
        """{"combined":[{"field":"size","settings":["aspect_ratio","resolution"],"values":{"16:9":"a","16:9|1080p":"b"},"default":"c"}]}""",
        """{"aspect_ratio":"16:9","resolution":"720p"}""",
        """{"prompt":"x","size":"a"}"""
    )]
    [InlineData("""{"combined":[{"field":"size","settings":["aspect_ratio"],"values":{"16:9":"a"},"default":"c"}]}""", "{}", """{"prompt":"x","size":"c"}""")]
    // A row that says nothing.
    [InlineData("{}", """{"duration":8,"audio":true,"seed":4}""", """{"prompt":"x","duration":"8","generate_audio":true,"seed":4}""")]
    public void A_request_is_written_as_the_row_says(string map, string settings, string body) =>
        Assert.Equal(body, FalInput.Build(Input("anybody/anything/text-to-video", settings, null, map)).ToJsonString());

    [Theory]
    [InlineData("""{"picture":{"field":"start_image_url"}}""", """{"prompt":"x","start_image_url":"https://p.example/a.jpg"}""")]
    [InlineData("""{"picture":{"field":"frames","as":"first_frame"}}""", """{"prompt":"x","frames":[{"uri":"https://p.example/a.jpg","position":"first"}]}""")]
    // A row without a picture field takes none.
    [InlineData("""{"settings":{}}""", """{"prompt":"x"}""")]
    [InlineData("{}", """{"prompt":"x","image_url":"https://p.example/a.jpg"}""")]
    public void A_picture_goes_into_the_field_that_the_row_names(string map, string body) =>
        Assert.Equal(body, FalInput.Build(Input("anybody/anything/image-to-video", "{}", "https://p.example/a.jpg", map)).ToJsonString());

    [Fact]
    public void A_model_of_runway_that_says_nothing_gets_pixels_and_a_number() =>
        Assert.Equal(
            """{"model":"any","promptText":"x","duration":5,"ratio":"1080:1920"}""",
            RunwayInput.Build(Input("any", """{"duration":5,"aspect_ratio":"9:16","resolution":"1080p","audio":true}""", null, "{}")).ToJsonString()
        );

    /// <summary>A model is a row: what an adapter knew of a family would have to be changed with each new one.</summary>
    [Fact]
    public void The_adapters_name_no_model_family()
    {
        Assert.Empty(
            from file in Repository.Files("src/Reelbase.Server/Integrations", "*.cs")
            let text = ProviderName().Replace(File.ReadAllText(file), "")
            from word in Families
            where text.Contains(word, StringComparison.OrdinalIgnoreCase)
            select $"{Path.GetFileName(file)}: {word}"
        );
    }

    private static readonly string[] Families =
    [
        "veo",
        "sora",
        "kling",
        "pika/",
        "wan-",
        "wan3",
        "seedance",
        "hailuo",
        "minimax",
        "h3-max",
        "h3_max",
        "omni",
        "gemini",
        "gen4",
        "gen3",
        "grok",
        "flux",
        "luma",
    ];

    /// <summary>What is left out of the search: the folder and the sections of a provider that has the name of its models.</summary>
    [System.Text.RegularExpressions.GeneratedRegex(@"Integrations\.Pika|Pika(Module|Options)")]
    private static partial System.Text.RegularExpressions.Regex ProviderName();

    private static GenerationInput Input(string model, string settings, string? picture, string map) =>
        new(model, "x", JsonDocument.Parse(settings).RootElement, picture, JsonDocument.Parse(map).RootElement);
}
