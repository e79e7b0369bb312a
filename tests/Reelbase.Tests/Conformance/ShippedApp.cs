using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Reelbase.Tests.Conformance;

/// <summary>
/// Decodes answers as strictly as the shipped iOS app does: a required key must be there, not null, of exactly its type; an
/// optional one may be missing or null, but not of another type; unknown keys are ignored.
/// </summary>
public static partial class ShippedApp
{
    /// <summary>The types that the app's decoders know.</summary>
    public enum Kind
    {
        Text,
        Whole,
        Flag,
        Time,
        Moment,
        Address,
        Status,
        Tier,
        Free,
    }

    private static readonly Dictionary<string, (Kind Kind, bool IsRequired)> DeviceCheck = Keys(
        "!user_id:Text !credits_remaining:Whole !is_new:Flag access_token:Text refresh_token:Text"
    );
    private static readonly Dictionary<string, (Kind Kind, bool IsRequired)> Credits = Keys("!credits_remaining:Whole");
    private static readonly Dictionary<string, (Kind Kind, bool IsRequired)> User = Keys(
        "!id:Text email:Text device_id:Text apple_sub:Text !is_guest:Flag !tier:Tier !credits_remaining:Whole !credits_total:Whole !initial_grant_claimed:Flag !language:Text !theme_preference:Text !created_at:Time !updated_at:Time"
    );
    private static readonly Dictionary<string, (Kind Kind, bool IsRequired)> VideoJob = Keys(
        "!job_id:Text !prompt:Text !model_name:Text !credits_used:Whole !status:Status video_url:Text thumbnail_url:Text !created_at:Time"
    );
    private static readonly Dictionary<string, (Kind Kind, bool IsRequired)> Generated = Keys("!job_id:Text !status:Text !credits_used:Whole");
    private static readonly Dictionary<string, (Kind Kind, bool IsRequired)> VideoStatus = Keys(
        "!job_id:Text !status:Text prompt:Text model_name:Text credits_used:Whole video_url:Text thumbnail_url:Text error_message:Text created_at:Text"
    );
    private static readonly Dictionary<string, (Kind Kind, bool IsRequired)> Model = Keys(
        "!id:Text !name:Text !category:Text !is_featured:Flag thumbnail_url:Address description:Text cost_per_generation:Whole required_fields:Free"
    );
    private static readonly Dictionary<string, (Kind Kind, bool IsRequired)> Tokens = Keys(
        "!access_token:Text refresh_token:Text expires_in:Whole token_type:Text"
    );

    private static readonly Dictionary<string, (Kind Kind, bool IsRequired)> Theme = Keys(
        "!id:Text !name:Text !prompt:Text !is_featured:Flag !is_available:Flag !created_at:Moment description:Text thumbnail_url:Text default_settings:Free"
    );
    private static readonly Dictionary<string, (Kind Kind, bool IsRequired)> Purchase = Keys("!credits_added:Whole !total_credits:Whole");
    private static readonly Dictionary<string, (Kind Kind, bool IsRequired)> OtherPurchase = Keys(
        "!success:Flag !credits_added:Whole !credits_remaining:Whole"
    );
    private static readonly Dictionary<string, (Kind Kind, bool IsRequired)> Settings = Keys("!id:Text !language:Text !theme_preference:Text");

    public static void DecodeThemes(JsonElement json)
    {
        foreach (var theme in json.EnumerateArray())
        {
            Decode(theme, Theme);
            // A null anywhere inside fails the whole list, and with it the home screen.
            Assert.DoesNotContain("null", theme.GetProperty("default_settings").GetRawText(), StringComparison.Ordinal);
        }
    }

    public static void DecodeModelDetails(JsonElement json)
    {
        foreach (var model in json.EnumerateArray())
        {
            Decode(model, Model);
            if (model.TryGetProperty("required_fields", out var fields) && fields.ValueKind != JsonValueKind.Null)
            {
                DecodeRequiredFields(fields);
            }
        }
    }

    public static void DecodePurchase(JsonElement json)
    {
        // Both screens read one answer.
        Decode(json, Purchase);
        Decode(json, OtherPurchase);
        DecodeSuccess(json);
    }

    public static void DecodeSettings(JsonElement json) => Decode(Assert.Single(json.EnumerateArray()), Settings);

    public static void DecodeDeviceCheck(JsonElement json) => Decode(json, DeviceCheck);

    public static void DecodeCredits(JsonElement json) => Decode(json, Credits);

    public static void DecodeUser(JsonElement json)
    {
        Decode(json, User);
        // One shared formatter reads both times and is spoiled by the first one without a fraction.
        Assert.Matches(ThreeDigits(), json.GetProperty("created_at").GetString());
        Assert.Matches(ThreeDigits(), json.GetProperty("updated_at").GetString());
    }

    public static void DecodeHistory(JsonElement json)
    {
        foreach (var job in json.GetProperty("jobs").EnumerateArray())
        {
            Decode(job, VideoJob);
        }
    }

    public static void DecodeGenerated(JsonElement json) => Decode(json, Generated);

    public static void DecodeStatus(JsonElement json) => Decode(json, VideoStatus);

    public static void DecodeModels(JsonElement json)
    {
        foreach (var model in json.GetProperty("models").EnumerateArray())
        {
            Decode(model, Model);
            DecodeRequiredFields(model.GetProperty("required_fields"));
        }
    }

    public static void DecodeTokens(JsonElement json) => Decode(json, Tokens);

    public static void DecodeSuccess(JsonElement json) => Assert.Equal(JsonValueKind.True, json.GetProperty("success").ValueKind);

    private static void DecodeRequiredFields(JsonElement fields)
    {
        foreach (var name in new[] { "requires_prompt", "requires_image", "requires_settings" })
        {
            Assert.True(!fields.TryGetProperty(name, out var flag) || flag.ValueKind is JsonValueKind.True or JsonValueKind.False, name);
        }
        if (fields.TryGetProperty("settings", out var settings))
        {
            foreach (
                var (name, kind) in new[] { ("resolution", JsonValueKind.String), ("aspect_ratio", JsonValueKind.String), ("duration", JsonValueKind.Number) }
            )
            {
                if (settings.TryGetProperty(name, out var spec))
                {
                    Assert.True(!spec.TryGetProperty("required", out var required) || required.ValueKind is JsonValueKind.True or JsonValueKind.False);
                    Assert.True(!spec.TryGetProperty("default", out var standard) || standard.ValueKind == kind);
                    Assert.All(spec.GetProperty("options").EnumerateArray(), option => Assert.Equal(kind, option.ValueKind));
                }
            }
        }
    }

    private static void Decode(JsonElement json, Dictionary<string, (Kind Kind, bool IsRequired)> keys)
    {
        Assert.Equal(JsonValueKind.Object, json.ValueKind);
        foreach (var (name, (kind, isRequired)) in keys)
        {
            var isThere = json.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null;
            Assert.True(isThere || !isRequired, $"{name} is required: {json.GetRawText()}");
            Assert.True(!isThere || Fits(value, kind), $"{name} is not {kind}: {json.GetRawText()}");
        }
    }

    private static bool Fits(JsonElement value, Kind kind) =>
        kind switch
        {
            Kind.Text => value.ValueKind == JsonValueKind.String,
            Kind.Whole => value.ValueKind == JsonValueKind.Number && WholeNumber().IsMatch(value.GetRawText()),
            Kind.Flag => value.ValueKind is JsonValueKind.True or JsonValueKind.False,
            Kind.Time => value.ValueKind == JsonValueKind.String
                && ThreeDigits().IsMatch(value.GetString()!)
                && DateTime.TryParseExact(value.GetString(), "yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture, DateTimeStyles.None, out _),
            // A formatter of its own for every value: with a fraction of any length or without, and always with a zone.
            Kind.Moment => value.ValueKind == JsonValueKind.String && AnyMoment().IsMatch(value.GetString()!),
            Kind.Address => value.ValueKind == JsonValueKind.String && Uri.TryCreate(value.GetString(), UriKind.Absolute, out _),
            Kind.Status => value.ValueKind == JsonValueKind.String && value.GetString() is "pending" or "processing" or "completed" or "failed",
            Kind.Tier => value.ValueKind == JsonValueKind.String && value.GetString() is "free" or "premium",
            _ => value.ValueKind == JsonValueKind.Object,
        };

    private static Dictionary<string, (Kind Kind, bool IsRequired)> Keys(string spec) =>
        spec.Split(' ')
            .Select(word => (Name: word.Trim('!').Split(':')[0], Kind: Enum.Parse<Kind>(word.Split(':')[1]), IsRequired: word[0] == '!'))
            .ToDictionary(key => key.Name, key => (key.Kind, key.IsRequired));

    [GeneratedRegex(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")]
    private static partial Regex ThreeDigits();

    [GeneratedRegex(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)$")]
    private static partial Regex AnyMoment();

    [GeneratedRegex(@"^-?\d+$")]
    private static partial Regex WholeNumber();
}
