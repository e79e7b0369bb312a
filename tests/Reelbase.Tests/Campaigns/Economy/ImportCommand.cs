namespace Reelbase.Tests.Campaigns.Economy;

/// <summary>
/// A user from before the upgrade, with a ledger that was taken over: a grant, perhaps a purchase that no list of purchases knows, and a job in one of the
/// states in which older backends left theirs.
/// </summary>
public sealed record ArriveImported(string Who, string Name, string Kind, string? SaleName, bool IsPremium) : Command
{
    public const int Price = 4;

    /// <summary>How an older backend left a job: its status, whether the charge names it, and how often it was refunded.</summary>
    public static readonly IReadOnlyDictionary<string, (string Status, bool IsChargeNamed, int Refunds)> Kinds = new Dictionary<string, (string, bool, int)>
    {
        ["left processing"] = ("processing", true, 0),
        ["left processing with its refund written"] = ("processing", true, 1),
        ["left processing, its charge without its name"] = ("processing", false, 0),
        ["failed and refunded"] = ("failed", true, 1),
        ["failed and never refunded"] = ("failed", true, 0),
        ["completed"] = ("completed", true, 0),
        ["completed, its charge without its name"] = ("completed", false, 0),
    };

    public override string Line =>
        $"{Who} was imported{(IsPremium ? ", premium," : "")} with {(SaleName is null ? "" : $"purchase {SaleName} and ")}job {Name}, {Kind}";

    public override async Task PlayAsync(Play play)
    {
        var world = play.World;
        var (status, isNamed, refunds) = Kinds[Kind];
        var person = new Person(Who)
        {
            IsGuest = false,
            GrantClaimed = true,
            IsPremiumByHand = IsPremium,
        };
        person.AppleSub = $"apple-{person.Id:N}";
        world.People[Who] = person;
        var job = new Job(Name, person, Price)
        {
            Id = Guid.NewGuid(),
            Returned = refunds * Price,
            End = status == "processing" ? null : status,
            IsImported = true,
        };
        world.Jobs[Name] = job;
        (job.Stage, job.Attempt) = (status == "processing" ? "ambiguous" : "finished", 0);
        var rows = new List<(int Change, string Reason, Guid? Job, string? Transaction)> { (10, "initial_grant", null, null) };
        if (SaleName is not null)
        {
            var sale = new Sale(SaleName, $"{world.Prefix}-{SaleName}", "com.rendioai.credits.starter.25", 1, person, null)
            {
                Owner = person,
                Credits = 25,
                IsCredited = true,
            };
            world.Sales[SaleName] = sale;
            rows.Add((25, "iap_purchase", null, sale.TransactionId));
        }
        rows.Add((-Price, "video_generation", isNamed ? job.Id : null, null));
        for (var refund = 0; refund < refunds; refund++)
        {
            rows.Add((Price, "generation_failed_refund", job.Id, null));
        }
        world.Forget();
        person.Balance = rows.Sum(row => row.Change);
        person.Total = rows.Where(row => row.Reason is "initial_grant" or "iap_purchase").Sum(row => row.Change);
        await play.Database.RunAsync(Script(person, job, status, rows));
        play.Touched.Add(job);
        await play.SnapshotAsync();
    }

    private string Script(Person person, Job job, string status, List<(int Change, string Reason, Guid? Job, string? Transaction)> rows)
    {
        var balance = 0;
        var ledger = rows.Select(row =>
            $"('{person.Id}', {Text(row.Job)}, {row.Change}, '{row.Reason}', {Text(row.Transaction)}, {balance += row.Change}, now(), now() - interval '1 day')"
        );
        // As the upgrade leaves it: the columns of the job are filled in from the ledger, and what cannot keep the rule is exempt.
        return $"""
            begin;
            insert into users (id, apple_sub, is_guest, initial_grant_claimed, tier, premium_granted_by, credits_remaining, credits_total)
            values ('{person.Id}', '{person.AppleSub}', false, true, '{(IsPremium ? "premium" : "free")}', {(
                IsPremium ? "'import'" : "null"
            )}, {person.Balance}, {person.Total});
            insert into sessions (id, user_id) values ('{person.Session}', '{person.Id}');
            insert into video_jobs (job_id, user_id, prompt, status, stage, credits_used, created_at, completed_at, run_after, deadline_at,
              credits_charged, credits_returned, is_credits_exempt)
            values ('{job.Id}', '{person.Id}', 'Before the upgrade', '{status}', '{job.Stage}', {Price}, now() - interval '1 day',
              {(status == "processing" ? "null" : "now()")}, now(), now(),
              {Price}, {job.Returned}, {(job.Rest != (status == "failed" ? 0 : job.Rest) || !Kinds[Kind].IsChargeNamed ? "true" : "false")});
            insert into quota_log (user_id, job_id, change, reason, transaction_id, balance_after, imported_at, created_at) values {string.Join(", ", ledger)};
            commit
            """;
    }

    private static string Text(object? value) => value is null ? "null" : $"'{value}'";
}
