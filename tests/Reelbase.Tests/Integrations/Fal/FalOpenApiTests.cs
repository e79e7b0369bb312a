using System.Text.Json;
using System.Text.Json.Nodes;
using Reelbase.Server.Integrations;
using Reelbase.Server.Integrations.Fal;
using Reelbase.Simulators;
using Reelbase.Simulators.Fal;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Integrations;

/// <summary>A model's row from its endpoint's own document.</summary>
[Quick]
public sealed class FalOpenApiTests
{
    /// <summary>A document in fal's shape, with references, alternatives that may be null, and a field that is required and has a default. Made for this test, 2026-11-27.</summary>
    private const string Document = """
        {"openapi":"3.0.4","info":{"title":"Queue OpenAPI for acme/lens/image-to-video"},
         "components":{"schemas":{
           "Mode":{"type":"string","enum":["off","balanced"]},
           "Ratio":{"type":"string","enum":["auto","16:9","9:16"]},
           "QueueStatus":{"type":"object"},
           "LensInput":{"type":"object","required":["prompt","image_url","expansion"],"properties":{
             "prompt":{"type":"string"},
             "image_url":{"type":"string"},
             "end_image_url":{"anyOf":[{"type":"string"},{"type":"null"}]},
             "duration":{"type":"string","enum":["auto","4s","6s","8s"],"default":"6s"},
             "resolution":{"type":"string","enum":["480P","720P","1080P"],"default":"1080P"},
             "aspect_ratio":{"allOf":[{"$ref":"#/components/schemas/Ratio"}],"default":"auto"},
             "expansion":{"allOf":[{"$ref":"#/components/schemas/Mode"}],"default":"balanced"},
             "generate_audio":{"anyOf":[{"type":"boolean"},{"type":"null"}],"default":true},
             "seed":{"type":"integer"}}}}},
         "paths":{
           "/acme/lens/image-to-video/requests/{request_id}/status":{"get":{}},
           "/acme/lens/image-to-video":{"post":{"requestBody":{"content":{"application/json":{"schema":{"$ref":"#/components/schemas/LensInput"}}}}}}}}
        """;

    [Fact]
    public void A_document_that_refers_to_itself_is_refused()
    {
        var document = Document.Replace(
            """{"type":"string","enum":["off","balanced"]}""",
            """{"allOf":[{"$ref":"#/components/schemas/Mode"}]}""",
            StringComparison.Ordinal
        );
        Assert.NotEqual(Document, document);
        Assert.Throws<FormatException>(() => FalOpenApi.Read("acme/lens/image-to-video", Parsed(document)));
    }

    [Fact]
    public void A_document_becomes_a_row_whose_requests_its_endpoint_takes()
    {
        var read = FalOpenApi.Read("acme/lens/image-to-video", Parsed(Document));
        Assert.Equal("image_to_video", (string?)read.Fields["category"]);
        Assert.Equal(
            """{"requires_prompt":true,"requires_image":true,"requires_settings":true,"settings":{"duration":{"required":true,"default":6,"options":[4,6,8]},"resolution":{"default":"720p","options":["480p","720p","1080p"]},"aspect_ratio":{"default":"auto","options":["auto","16:9","9:16"]},"audio":{"default":false,"type":"boolean","options":[true,false]}}}""",
            read.Fields["required_fields"]!.ToJsonString()
        );
        var input = new GenerationInput(
            "acme/lens/image-to-video",
            "A kite",
            Parsed("""{"duration":8,"resolution":"720p","aspect_ratio":"16:9","audio":false}"""),
            "https://pictures.example/a.jpg",
            Parsed(read.Fields["provider_input"]!.ToJsonString())
        );
        Assert.Equal(
            """{"prompt":"A kite","expansion":"balanced","image_url":"https://pictures.example/a.jpg","duration":"8s","resolution":"720P","aspect_ratio":"16:9","generate_audio":false}""",
            FalInput.Build(input).ToJsonString()
        );
        Assert.Contains(read.Remarks, remark => remark.StartsWith("seed is left", StringComparison.Ordinal));
        Assert.Contains(read.Remarks, remark => remark.StartsWith("expansion is required", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("{}", "no POST")]
    [InlineData("[]", "no POST")]
    [InlineData(
        """{"paths":{"/a":{"post":{"requestBody":{"content":{"application/json":{"schema":{"$ref":"#/components/schemas/None"}}}}}}}}""",
        "which it does not have"
    )]
    [InlineData(
        """{"paths":{"/a":{"post":{"requestBody":{"content":{"application/json":{"schema":{"type":"object","properties":{"image_url":{"type":"string"}}}}}}}}}}""",
        "takes no prompt"
    )]
    [InlineData(
        """{"paths":{"/a":{"post":{"requestBody":{"content":{"application/json":{"schema":{"type":"object","required":["prompt","video_url"],"properties":{"prompt":{"type":"string"},"video_url":{"type":"string"}}}}}}}}}}""",
        "requires video_url"
    )]
    public void What_cannot_be_used_is_refused_with_the_reason(string document, string reason) =>
        Assert.Contains(reason, Assert.Throws<FormatException>(() => FalOpenApi.Read("acme/lens", Parsed(document))).Message, StringComparison.Ordinal);

    public static TheoryData<string> Endpoints => [.. VendorSchemas.Fal.Endpoints.Keys];

    [Theory]
    [MemberData(nameof(Endpoints))]
    public void The_document_of_every_known_endpoint_becomes_a_row_that_it_takes(string endpoint)
    {
        var document = JsonSerializer.SerializeToElement(((Microsoft.AspNetCore.Http.IValueHttpResult)FalOpenApiDocuments.Respond(endpoint)).Value);
        var fields = FalOpenApi.Read(endpoint, document).Fields;
        var spec = fields["required_fields"]!["settings"]!.AsObject();
        var isImage = (bool)fields["required_fields"]!["requires_image"]!;
        Assert.Equal(endpoint.Contains("image-to-video", StringComparison.Ordinal), isImage);
        foreach (var (setting, option) in spec.SelectMany(pair => pair.Value!["options"]!.AsArray().Select(option => (pair.Key, option))))
        {
            var settings = new JsonObject(spec.Select(pair => KeyValuePair.Create(pair.Key, pair.Value!["default"]?.DeepClone())))
            {
                [setting] = option!.DeepClone(),
            };
            var body = FalInput.Build(
                new(
                    endpoint,
                    "A kite",
                    Parsed(settings.ToJsonString()),
                    isImage ? "https://pictures.example/a.jpg" : null,
                    Parsed(fields["provider_input"]!.ToJsonString())
                )
            );
            Assert.Null(VendorSchemas.Fal.FindFault(endpoint, JsonSerializer.SerializeToElement(body)));
        }
    }

    private static JsonElement Parsed(string text) => JsonDocument.Parse(text).RootElement;
}
