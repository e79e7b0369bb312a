using System.Text.Json;
using Reelbase.Server.Platform.Database;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Features;

/// <summary>A model that came out today: from its endpoint's document to a video, with no new program.</summary>
public sealed class ModelImportTests(AdminSystem system) : IClassFixture<AdminSystem>
{
    [Fact]
    public async Task A_model_of_today_is_imported_from_its_document_previewed_switched_on_and_makes_a_video()
    {
        const string endpoint = "fal-ai/pika/v2/turbo/text-to-video";
        var (dry, shown) = await ImportAsync(endpoint, "--cost", "0.20", "--dry-run");
        Assert.True(dry == 0, shown);
        Assert.Equal("0", (await system.RowsAsync($"select count(*) from models where provider_model_id = '{endpoint}'")).Single());
        // No price is known of it, and none is guessed.
        Assert.Contains("--cost", (await ImportAsync(endpoint)).Output, StringComparison.Ordinal);
        var (code, output) = await ImportAsync(endpoint, "--cost", "0.20", "--margin", "100", "--name", "Turbo", "--surcharge", "resolution=1080p:125");
        Assert.True(code == 0, output);
        Assert.Contains("\"cost_per_generation\": 4", output, StringComparison.Ordinal);
        Assert.Contains($"/{endpoint}", output, StringComparison.Ordinal);
        Assert.Contains("not on offer until somebody switches it on", output, StringComparison.Ordinal);
        var row = (
            await system.RowsAsync(
                $"select id, name, is_available, provider_cost, paused_reason like 'Imported from fal%' from models where provider_model_id = '{endpoint}'"
            )
        ).Single();
        Assert.EndsWith("|Turbo|False|0.2000|True", row, StringComparison.Ordinal);
        var model = Guid.Parse(row.Split('|')[0]);
        var phone = await system.NewGuestAsync(100);
        Assert.Equal(
            System.Net.HttpStatusCode.NotFound,
            (await phone.PostAsync("/generate-video", new { model_id = model, prompt = "A kite" }, Guid.NewGuid())).Status
        );
        // Imported again it is the same row.
        Assert.Contains("Brought up to date", (await ImportAsync(endpoint, "--margin", "0")).Output, StringComparison.Ordinal);
        var on = await system.PostAsync(
            "/admin-toggle-model",
            new
            {
                model_id = model,
                is_available = true,
                reason = "reviewed",
            }
        );
        Assert.True(on.Status == System.Net.HttpStatusCode.OK, on.Text);
        var accepted = await phone.PostAsync(
            "/generate-video",
            new
            {
                model_id = model,
                prompt = "A kite of today",
                settings = new { resolution = "1080p" },
            },
            Guid.NewGuid()
        );
        Assert.True(accepted.Status == System.Net.HttpStatusCode.OK, accepted.Text);
        // Two credits now, without a margin, and 125 percent for the resolution.
        Assert.Equal(5, accepted["credits_used"].GetInt32());
        Assert.Equal("completed", (await phone.WatchAsync(accepted["job_id"].GetString()!))[^1].GetProperty("status").GetString());
        // A row on offer is nobody's to overwrite.
        var (again, refused) = await ImportAsync(endpoint, "--cost", "0.20");
        Assert.NotEqual(0, again);
        Assert.Contains("is on offer", refused, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_saved_document_does_as_well_and_what_is_wrong_is_said()
    {
        var file = Path.Combine(Path.GetTempPath(), $"reelbase-openapi-{Guid.NewGuid():N}.json");
        try
        {
            using var http = new HttpClient();
            await File.WriteAllTextAsync(file, await http.GetStringAsync($"{system.SimulatorsUrl}/fal/openapi.json?endpoint_id=minimax/h3-max/text-to-video"));
            // The seeded row of that endpoint is on offer; under another name it is a model of its own.
            var (code, output) = await ImportAsync("acme/saved/text-to-video", "--file", file, "--cost", "0.08");
            Assert.True(code == 0, output);
            Assert.Contains("prompt_expansion_mode is required and is always sent as", output, StringComparison.Ordinal);
            Assert.Contains("768", output, StringComparison.Ordinal);
            await File.WriteAllTextAsync(file, "{}");
            Assert.Contains("cannot be imported", (await ImportAsync("acme/empty", "--file", file, "--cost", "1")).Output, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(file);
        }
        Assert.Contains("answered 404", (await ImportAsync("acme/nobody", "--cost", "1")).Output, StringComparison.Ordinal);
        Assert.Contains("did you mean --cost", (await ImportAsync("acme/nobody", "--costs", "1")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_change_is_previewed_as_the_app_and_the_provider_would_see_it_and_nothing_is_written()
    {
        var before = await system.RowsAsync($"select m::text from models m where id = '{Catalog.FastModel}'");
        var preview = await system.PostAsync("/admin-preview-model", new { model_id = Catalog.FastModel, credits_per_second = 3 });
        Assert.True(preview.Status == System.Net.HttpStatusCode.OK, preview.Text);
        Assert.Equal(JsonValueKind.Null, preview["fault"].ValueKind);
        Assert.Equal(3, preview["app"].GetProperty("credits_per_second").GetInt32());
        Assert.Equal(24, preview["prices"][0].GetProperty("credits").GetInt32());
        Assert.Equal(800_000, preview["prices"][0].GetProperty("cost_micros").GetInt64());
        var request = preview["provider_request"];
        Assert.EndsWith("/fal-ai/veo3.1/fast", request.GetProperty("address").GetString(), StringComparison.Ordinal);
        Assert.Equal("8s", request.GetProperty("body").GetProperty("duration").GetString());
        Assert.False(request.GetProperty("body").GetProperty("generate_audio").GetBoolean());
        Assert.Equal(before, await system.RowsAsync($"select m::text from models m where id = '{Catalog.FastModel}'"));
        // What would be refused is said, by the preview and by saving alike.
        var wrong = new { model_id = Catalog.FastModel, provider_input = new { settings = new { duration = new { field = "duration", type = "boolean" } } } };
        Assert.Contains("cannot be written as boolean", (await system.PostAsync("/admin-preview-model", wrong))["fault"].GetString(), StringComparison.Ordinal);
        var refused = await system.PostAsync(
            "/admin-save-model",
            new
            {
                wrong.model_id,
                wrong.provider_input,
                reason = "a slip",
            }
        );
        Assert.Equal(System.Net.HttpStatusCode.BadRequest, refused.Status);
        Assert.Contains("cannot be written as boolean", refused.Text, StringComparison.Ordinal);
        Assert.Equal(before, await system.RowsAsync($"select m::text from models m where id = '{Catalog.FastModel}'"));
    }

    [Fact]
    public async Task Whose_model_it_is_is_said_by_the_import_or_in_the_console_and_named_as_a_recipient()
    {
        const string endpoint = "acme/nobody-knows/text-to-video";
        var file = Path.Combine(Path.GetTempPath(), $"reelbase-openapi-{Guid.NewGuid():N}.json");
        try
        {
            using var http = new HttpClient();
            await File.WriteAllTextAsync(file, await http.GetStringAsync($"{system.SimulatorsUrl}/fal/openapi.json?endpoint_id=minimax/h3-max/text-to-video"));
            var (_, unknown) = await ImportAsync(endpoint, "--file", file, "--cost", "0.08", "--dry-run");
            Assert.Contains("--vendor", unknown, StringComparison.Ordinal);
            var (code, output) = await ImportAsync(endpoint, "--file", file, "--cost", "0.08", "--vendor", "Acme Inc");
            Assert.True(code == 0, output);
            // Imported again it is still known.
            await ImportAsync(endpoint, "--file", file, "--cost", "0.08");
        }
        finally
        {
            File.Delete(file);
        }
        var row = (
            await system.RowsAsync($"select id, vendor, internal.model_recipients(m) @> array['Acme Inc'] from models m where provider_model_id = '{endpoint}'")
        ).Single();
        Assert.EndsWith("|Acme Inc|True", row, StringComparison.Ordinal);
        var id = row.Split('|')[0];
        var preview = await system.PostAsync("/admin-preview-model", new { model_id = id, vendor = "Acme of Europe" });
        Assert.Contains("Acme of Europe", preview["recipients"].EnumerateArray().Select(name => name.GetString()));
        var saved = await system.PostAsync(
            "/admin-save-model",
            new
            {
                model_id = id,
                vendor = "Acme of Europe",
                reason = "it moved",
            }
        );
        Assert.True(saved.Status == System.Net.HttpStatusCode.OK, saved.Text);
        Assert.Equal(["Acme of Europe"], await system.RowsAsync($"select vendor from models where id = '{id}'"));
    }

    private Task<(int Code, string Output)> ImportAsync(string endpoint, params string[] options) =>
        ServerProcess.RunAsync(
            new() { ["Fal__OpenApiUrl"] = $"{system.SimulatorsUrl}/fal/openapi.json" },
            ["admin", "import-model", "fal", endpoint, .. options, "--database", ConnectionStrings.ToUrl(system.Owner)]
        );
}
