using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Reelbase.Server.Features.Catalog;
using Reelbase.Server.Features.Jobs.GenerateVideo;
using Reelbase.Server.Integrations;
using Reelbase.Server.Integrations.Fal;
using Reelbase.Server.Platform.Database;

namespace Reelbase.Server.Cli;

/// <summary>A new model from its vendor's own document: <c>admin import-model fal ENDPOINT</c>.</summary>
internal static class ModelCommands
{
    private const int MaxDocumentBytes = 4 * 1024 * 1024;
    private const decimal DefaultMarginPercent = 20;
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    /// <summary>The verb.</summary>
    public static Command New(AdminVerbs verbs)
    {
        var endpoint = Words.About<string>("ENDPOINT", "fal's name for it");
        var file = Words.Text("--file", "F", "a saved document in place of fal's own");
        var cost = Words.Amount("--cost", "DOLLARS", "what we pay for a second of video, or for a video where no duration can be chosen");
        var margin = Words.Amount("--margin", "PERCENT", $"on top of it; default: {DefaultMarginPercent}");
        var name = Words.Text("--name", "N", "as the app shows it");
        var vendor = Words.Text("--vendor", "V", "whose model it is, as the text of consent names them");
        var surcharge = Words.Texts("--surcharge", "SETTING=OPTION:PERCENT", "what an option costs more; may be given again");
        var dryRun = Words.Flag("--dry-run", "show it, and write nothing");
        return new Command("import-model", "a new model from its vendor's own document")
        {
            verbs.OnDatabase(
                "fal",
                "a model's row from fal's own document for the endpoint, switched off, with prices and a preview",
                (builder, database, words) =>
                    ImportAsync(
                        builder,
                        database,
                        new(
                            words.GetValue(endpoint)!,
                            words.GetValue(file),
                            words.GetValue(cost),
                            words.GetValue(margin) ?? DefaultMarginPercent,
                            words.GetValue(name),
                            words.GetValue(vendor),
                            words.GetValue(surcharge) ?? [],
                            words.GetValue(dryRun)
                        )
                    ),
                endpoint,
                file,
                cost,
                margin,
                name,
                vendor,
                surcharge,
                dryRun
            ),
        };
    }

    /// <summary>What was asked for.</summary>
    private sealed record NewModel(
        string Endpoint,
        string? File,
        decimal? Cost,
        decimal Margin,
        string? Name,
        string? Vendor,
        string[] Surcharges,
        bool IsDryRun
    );

    /// <summary>Fetches or reads the document, proposes prices, shows what it would be, and writes the row, switched off.</summary>
    private static async Task<int> ImportAsync(WebApplicationBuilder builder, AdminDatabase database, NewModel wanted)
    {
        var endpoint = wanted.Endpoint;
        ReadEndpoint read;
        try
        {
            using var document = JsonDocument.Parse(await DocumentAsync(builder, endpoint, wanted.File));
            read = FalOpenApi.Read(endpoint, document.RootElement);
        }
        catch (Exception error) when (error is FormatException or JsonException)
        {
            throw new ArgumentException($"{endpoint} cannot be imported: {error.Message}");
        }
        var fields = read.Fields;
        fields["name"] = wanted.Name ?? (string)fields["name"]!;
        if (wanted.Vendor is { } vendor)
        {
            fields["vendor"] = vendor;
        }
        foreach (var surcharge in wanted.Surcharges)
        {
            AddSurcharge(fields, surcharge);
        }
        await ProposePricesAsync(builder, database, fields, wanted);
        var isDryRun = wanted.IsDryRun;
        var reason =
            $"Imported from fal's OpenAPI document of {endpoint} on {DateTime.UtcNow:yyyy-MM-dd}. Look at its prices, generate one video with it, then switch it on.";
        using var answer = JsonDocument.Parse(await WriteAsync(database, fields, reason, !isDryRun));
        Show(builder, answer.RootElement, read, isDryRun);
        return answer.RootElement.Text("fault") is null ? 0 : 1;
    }

    private static async Task<string> WriteAsync(AdminDatabase database, JsonObject fields, string reason, bool isWritten)
    {
        try
        {
            return (
                await database.ScalarAsync<string>(
                    "select import_model($1::jsonb, $2, $3)::text",
                    CancellationToken.None,
                    fields.ToJsonString(),
                    reason,
                    isWritten
                )
            )!;
        }
        catch (Npgsql.PostgresException error) when (error.SqlState is Npgsql.PostgresErrorCodes.ObjectInUse or Npgsql.PostgresErrorCodes.CheckViolation)
        {
            throw new ArgumentException(error.MessageText);
        }
    }

    private static async Task<string> DocumentAsync(WebApplicationBuilder builder, string endpoint, string? file)
    {
        if (file is not null)
        {
            return await File.ReadAllTextAsync(file);
        }
        var options = builder.Configuration.GetSection("Fal").Get<FalOptions>() ?? new();
        var address = $"{options.OpenApiUrl}?endpoint_id={Uri.EscapeDataString(endpoint)}";
        using var handler = new SocketsHttpHandler { AllowAutoRedirect = false };
        using var http = new HttpClient(handler) { Timeout = TimeSpan.FromSeconds(30), MaxResponseContentBufferSize = MaxDocumentBytes };
        try
        {
            using var response = await http.GetAsync(address);
            return response.IsSuccessStatusCode
                ? await response.Content.ReadAsStringAsync()
                : throw new ArgumentException(
                    $"{address} answered {(int)response.StatusCode}: is {endpoint} an endpoint of fal? (or give a saved document with --file)"
                );
        }
        catch (Exception error) when (error is HttpRequestException or TaskCanceledException)
        {
            throw new ArgumentException($"{address} cannot be read ({error.Message}); give a saved document with --file");
        }
    }

    /// <summary>What we pay, times the margin, in whole credits; what we pay is said, or known of the endpoint's row.</summary>
    private static async Task ProposePricesAsync(WebApplicationBuilder builder, AdminDatabase database, JsonObject fields, NewModel wanted)
    {
        var margin = wanted.Margin;
        var cost =
            wanted.Cost
            ?? await database.ScalarAsync<decimal?>("select find_provider_cost($1, $2)", CancellationToken.None, "fal", (string)fields["provider_model_id"]!)
            ?? throw new ArgumentException(
                "say what it costs: --cost DOLLARS of a second of video (fal's model page says it), or of a video where no duration can be chosen"
            );
        var credit = (builder.Configuration.GetSection("Generation").Get<GenerationOptions>() ?? new()).DollarsPerCredit;
        if (cost is <= 0 or > 1000 || margin is < 0 or > 1000)
        {
            throw new ArgumentException("--cost is dollars above 0, --margin percent from 0 to 1000");
        }
        var credits = (int)Math.Max(1, Math.Ceiling(cost * (100 + margin) / 100 / credit));
        var duration = fields["required_fields"]!["settings"]!["duration"];
        fields["provider_cost"] = cost;
        fields["pricing_type"] = duration is null ? "per_generation" : "per_second";
        fields["credits_per_second"] = duration is null ? null : credits;
        fields["cost_per_generation"] = duration is null ? credits : credits * (int)duration["default"]!;
    }

    /// <summary><c>resolution=1080p:100</c>.</summary>
    private static void AddSurcharge(JsonObject fields, string text)
    {
        if (
            text.Split('=', 2) is not [var setting, var rest]
            || rest.LastIndexOf(':') is not (> 0 and var at)
            || !int.TryParse(rest[(at + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var percent)
            || fields["required_fields"]!["settings"]![setting] is not JsonObject spec
            || spec["options"] is not JsonArray options
            || !options.Any(option => option!.ToString() == rest[..at])
        )
        {
            throw new ArgumentException($"--surcharge {text}: SETTING=OPTION:PERCENT, with a setting and an option that the endpoint has");
        }
        var percents = spec["surcharge_percent"] as JsonObject ?? [];
        percents[rest[..at]] = percent;
        spec["surcharge_percent"] = percents;
    }

    private static void Show(WebApplicationBuilder builder, JsonElement answer, ReadEndpoint read, bool isDryRun)
    {
        foreach (var remark in read.Remarks)
        {
            Console.WriteLine($"note: {remark}");
        }
        Console.WriteLine(
            $"Users' prompts and pictures go to: {string.Join(", ", answer.GetProperty("recipients").EnumerateArray().Select(name => name.GetString()))}"
        );
        if (answer.Text("vendor") is null)
        {
            Console.WriteLine("note: nobody knows whose model this is, so no text of consent names them: say it with --vendor NAME");
        }
        Console.WriteLine("What the app would get (get-models):");
        Console.WriteLine(JsonSerializer.Serialize(answer.GetProperty("app"), Indented));
        var options = builder.Configuration.GetSection("Fal").Get<FalOptions>() ?? new();
        var input = ModelPreview.InputOf(answer)!;
        Console.WriteLine($"What fal would be sent: POST {options.QueueUrl.TrimEnd('/')}/{input.ProviderModelId}");
        Console.WriteLine(FalInput.Build(input).ToJsonString(Indented));
        Console.WriteLine("Prices:");
        foreach (var price in answer.GetProperty("prices").EnumerateArray())
        {
            Console.WriteLine(
                $"  {price.GetProperty("settings").GetRawText()}: {price.GetProperty("credits")} credits, costs us {price.GetProperty("cost_micros").GetInt64() / 1_000_000m:0.####} dollars"
            );
        }
        Console.WriteLine(
            answer.Text("fault") is { } fault ? $"It would be refused: {fault}"
            : isDryRun ? "Nothing was written."
            : $"{(answer.GetProperty("was_there").GetBoolean() ? "Brought up to date" : "Made")}: {answer.Text("model_id")}, not on offer until somebody switches it on in the console."
        );
    }
}
