using System.Text.Json;
using Reelbase.Server.Platform.Errors;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Conformance;

/// <summary>The TypeScript client: generated from the document as it is now, compiled as strictly as TypeScript can, and against a running server.</summary>
[Trait("Needs", "node")]
public sealed class TypeScriptClientTests
{
    private static readonly string Folder = Repository.PathOf("clients/typescript");

    [Fact]
    public async Task What_was_generated_is_fresh()
    {
        var fresh = Path.Combine(Folder, "obj", Guid.NewGuid().ToString("N"));
        try
        {
            await NodeJs.RunInAsync(Folder, new() { ["REELBASE_CLIENT_OUT"] = fresh }, "npm", "run", "generate");
            Assert.True(
                Contents(fresh) == Contents(Path.Combine(Folder, "src/generated")),
                "clients/typescript/src/generated is stale: run ./reelbase clients"
            );
        }
        finally
        {
            Directory.Delete(fresh, recursive: true);
        }

        static string Contents(string folder) =>
            string.Concat(
                Directory
                    .EnumerateFiles(folder, "*", SearchOption.AllDirectories)
                    .Order(StringComparer.Ordinal)
                    .Select(file => $"{Path.GetRelativePath(folder, file)}\n{File.ReadAllText(file)}")
            );
    }

    [Fact]
    public async Task The_client_does_what_it_says()
    {
        await using var system = new TestSystem();
        await system.InitializeAsync();
        await NodeJs.RunInAsync(Folder, [], "npm", "run", "build");
        var output = await NodeJs.RunInAsync(
            Folder,
            new()
            {
                ["SERVER_URL"] = system.Url,
                ["MODEL_ID"] = Catalog.FastModel.ToString(),
                ["TURKISH"] = ErrorCatalog.All.Single(entry => entry.Code == "ERR_4002").Tr,
                ["JPEG"] = Convert.ToBase64String(Pictures.Jpeg()),
            },
            "node",
            "--test",
            "--test-reporter=tap",
            "test/client.test.mjs"
        );
        Assert.Contains("# pass 10\n", output, StringComparison.Ordinal);
    }

    /// <summary>A number that may also be a text is a number in no generated client.</summary>
    [Fact]
    [Trait("Check", "yes")]
    public void No_number_of_the_document_may_be_a_text()
    {
        using var document = JsonDocument.Parse(File.ReadAllText(Repository.PathOf("docs/api/openapi.v1.json")));
        Assert.Empty(UnionsOf(document.RootElement, "#"));

        static IEnumerable<string> UnionsOf(JsonElement element, string path) =>
            element.ValueKind switch
            {
                JsonValueKind.Object => element
                    .EnumerateObject()
                    .SelectMany(property => UnionsOf(property.Value, $"{path}/{property.Name}"))
                    .Concat(IsUnion(element) ? [path] : []),
                JsonValueKind.Array => element.EnumerateArray().SelectMany((item, index) => UnionsOf(item, $"{path}/{index}")),
                _ => [],
            };

        static bool IsUnion(JsonElement schema) =>
            schema.TryGetProperty("type", out var type)
            && type.ValueKind == JsonValueKind.Array
            && type.EnumerateArray().Select(part => part.GetString()).ToList() is var parts
            && parts.Contains("string")
            && (parts.Contains("integer") || parts.Contains("number"));
    }
}
