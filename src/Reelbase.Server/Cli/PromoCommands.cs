using System.CommandLine;
using Reelbase.Server.Features.Credits.PromoCodes;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Errors;
using Reelbase.Server.Platform.Http;

namespace Reelbase.Server.Cli;

/// <summary>Promo codes from the command line.</summary>
internal static class PromoCommands
{
    private const string Reason = "made on the command line";

    /// <summary>The verbs.</summary>
    public static Command New(AdminVerbs verbs)
    {
        var credits = Words.Number("--credits", "what it gives", isRequired: true);
        var uses = Words.Number("--uses", "how many users may redeem it", isRequired: true);
        var code = Words.Text("--code", "C", "default: a random one");
        var label = Words.Text("--label", "L", "what it is for, as admins see it");
        var starts = Words.Time("--starts", "default: now");
        var ends = Words.Time("--ends", "default: never");
        var id = Words.About<Guid>("ID", "as admin promo list says it");
        return new Command("promo", "promo codes")
        {
            verbs.OnDatabase(
                "create",
                "a promo code, shown once",
                (builder, database, words) =>
                    CreateAsync(
                        builder,
                        database,
                        new(
                            words.GetValue(code),
                            words.GetValue(label),
                            words.GetValue(credits)!.Value,
                            words.GetValue(uses)!.Value,
                            words.GetValue(starts),
                            words.GetValue(ends)
                        )
                    ),
                credits,
                uses,
                code,
                label,
                starts,
                ends
            ),
            verbs.OnDatabase("list", "promo codes and their uses", (_, database, _) => ListAsync(database)),
            verbs.OnDatabase("end", "nobody can redeem it any more", (_, database, words) => EndAsync(database, words.GetValue(id)), id),
        };
    }

    private sealed record NewCode(string? Text, string? Label, int Credits, int Uses, DateTime? Starts, DateTime? Ends);

    /// <summary><c>admin promo create</c>: prints the code, which nobody can read again.</summary>
    private static async Task<int> CreateAsync(WebApplicationBuilder builder, AdminDatabase database, NewCode wanted)
    {
        var text = wanted.Text ?? PromoCode.New();
        if (PromoCode.Normalize(text) is not { Length: >= PromoCode.MinLength } code)
        {
            throw new ArgumentException($"--code has {PromoCode.MinLength} to {PromoCode.MaxLength} letters or digits");
        }
        var id = await Said(
            database.ScalarAsync<Guid>(
                "select create_promo_code(null, $1, $2, $3, $4, $5, $6, $7, $8)",
                CancellationToken.None,
                Reason,
                Convert.ToHexStringLower(PromoCode.Hash(AdminUserCommands.LoadKeys(builder), code)),
                PromoCode.Hint(code),
                wanted.Label ?? "command line",
                wanted.Credits,
                wanted.Uses,
                wanted.Starts,
                wanted.Ends
            )
        );
        Console.WriteLine($"Code: {text}");
        Console.WriteLine($"Id: {id}");
        Console.WriteLine("The code is stored as a hash and is not shown again.");
        return 0;
    }

    /// <summary><c>admin promo list</c>.</summary>
    private static async Task<int> ListAsync(AdminDatabase database)
    {
        var codes = await database.ListAsync<PromoRow>("select * from list_promo_codes()", CancellationToken.None);
        foreach (var row in codes)
        {
            Console.WriteLine(
                $"{row.Id}  ...{row.Hint, -4}  {row.State, -8}  {row.Credits} credits  {row.Redeemed} of {row.MaxRedemptions} redeemed  {row.Label.ReplaceLineEndings(" ")}  until {(row.EndsAt is { } at ? Json.Time(at) : "-")}"
            );
        }
        Console.WriteLine(codes.Count == 0 ? "None." : $"{codes.Count} codes.");
        return 0;
    }

    /// <summary><c>admin promo end ID</c>.</summary>
    private static async Task<int> EndAsync(AdminDatabase database, Guid id)
    {
        if (!await database.ScalarAsync<bool>("select end_promo_code(null, $1, $2)", CancellationToken.None, Reason, id))
        {
            throw new ArgumentException($"there is no promo code {id}: see admin promo list");
        }
        Console.WriteLine("Nobody can redeem it any more; what was redeemed stays.");
        return 0;
    }

    private static async Task<T?> Said<T>(Task<T?> call)
    {
        try
        {
            return await call;
        }
        catch (Npgsql.PostgresException error) when (error.SqlState == "RB001")
        {
            throw new ArgumentException(
                error.MessageText == ErrorCodes.Conflict
                    ? "that code exists already"
                    : "credits, uses and times do not fit together (up to 100000 credits, 1000000 uses, an end after the start)",
                error
            );
        }
    }

    private sealed class PromoRow
    {
        public Guid Id { get; init; }
        public string Label { get; init; } = "";
        public string Hint { get; init; } = "";
        public string State { get; init; } = "";
        public int Credits { get; init; }
        public int MaxRedemptions { get; init; }
        public int Redeemed { get; init; }
        public DateTime? EndsAt { get; init; }
    }
}
