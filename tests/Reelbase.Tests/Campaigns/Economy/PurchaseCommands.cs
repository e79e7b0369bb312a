using System.Globalization;

namespace Reelbase.Tests.Campaigns.Economy;

/// <summary>Somebody buys at Apple, which notifies nobody yet. The app may name a user: the buyer, somebody who has left, or nobody that ever was.</summary>
public sealed record Buy(string Name, string Who, string Product, int Quantity, string? Names) : Command
{
    public const string Nobody = "nobody";

    public override string Line =>
        $"{Who} buys {Quantity} x {Product} as {Name}, {(Names is null ? "and the app names nobody" : Names == Nobody ? "for an id that nobody has" : $"for {Names}")}";

    public override Task PlayAsync(Play play)
    {
        var world = play.World;
        if (!world.Sales.ContainsKey(Name) && world.People.TryGetValue(Who, out var buyer) && (Names is null or Nobody || world.People.ContainsKey(Names)))
        {
            Guid? token =
                Names is null ? null
                : Names == Nobody ? Guid.Empty
                : world.People[Names].Id;
            world.Sales[Name] = new(Name, $"{world.Prefix}-{Name}", Product, Quantity, buyer, token);
            world.Forget();
        }
        return Task.CompletedTask;
    }
}

/// <summary>Apple gives money back, in part or all of it, or takes that back again; who hears of it is another matter.</summary>
public sealed record AppleDecides(string Name, int Percent) : Command
{
    public override string Line => Percent == 0 ? $"Apple reverses the refund of {Name}" : $"Apple refunds {Percent} % of {Name}";

    public override Task PlayAsync(Play play)
    {
        if (play.World.Sales.TryGetValue(Name, out var sale))
        {
            sale.Words.Add(Percent * 1000);
        }
        return Task.CompletedTask;
    }
}

/// <summary>Something that Apple signed reaches us: by the app of a user, by a notification or by the reconciliation; late, twice, in any order.</summary>
public sealed record AppleNotifies(string Name, int Number, string Source, string? Who) : Command
{
    public const string Policy = """{"accept_sandbox":true,"sandbox_credits_per_user":1000000,"sandbox_credits_per_day":1000000}""";

    public override string Line => $"what Apple signed as number {Number} of {Name} comes by {(Source == "app" ? $"the app of {Who}" : "the " + Source)}";

    public override async Task PlayAsync(Play play)
    {
        var world = play.World;
        Person? claimer = null;
        if (!world.Sales.TryGetValue(Name, out var sale) || Number >= sale.Words.Count || (Who is not null && !world.People.TryGetValue(Who, out claimer)))
        {
            return;
        }
        var product = world.ProductId(sale.Product);
        var transaction = string.Create(
            CultureInfo.InvariantCulture,
            $$"""
            {"environment":"Production","transaction_id":"{{sale.TransactionId}}","product_id":"{{product}}","quantity":{{sale.Quantity}},
             "app_account_token":{{(sale.Token is { } token ? $"\"{token}\"" : "null")}},"price":9990,"currency":"EUR","purchased_at":1790000000000,
             "signed_at":{{1790000000000 + Number * 1000}},"revoked_percentage":{{sale.Words[Number]}}}
            """
        );
        // Taken before the call: what is recorded of whom depends on who was alive.
        var owner = world.OwnerOf(sale, claimer);
        if (claimer is null)
        {
            Play.Good(await play.AsWorkerAsync("select record_transaction(null, $1::jsonb, $2, $3::jsonb)::text", transaction, Source, Policy));
        }
        else
        {
            var outcome = await play.AsAsync(claimer, "select outcome, credits_added from claim_purchase($1::jsonb, $2::jsonb)", transaction, Policy);
            if (PressGenerate.Access(claimer.Account, claimer) is { } refusal)
            {
                Play.Refused(outcome, refusal);
                return;
            }
            Play.Good(outcome);
            Play.Expect(
                (owner == claimer.Account) == (outcome.Rows[0][0] is not "of_another"),
                $"{claimer.Label} was answered {outcome.Rows[0][0]} for {sale.Label} of {owner?.Label ?? "nobody"}"
            );
        }
        if (!sale.IsKnown || Number > sale.Latest)
        {
            sale.Latest = Math.Max(sale.Latest, Number);
        }
        sale.IsKnown = true;
        sale.Owner = owner;
        world.Settle(sale);
    }
}

/// <summary>Support enters a product that was bought before anybody had entered it; who waits for it gets their credits.</summary>
public sealed record SupportSavesProduct(string Product, int Credits) : Command
{
    public override string Line => $"support saves the product {Product} with {Credits} credits";

    public override async Task PlayAsync(Play play)
    {
        var world = play.World;
        Play.Good(
            await play.AsSupportAsync(
                "select admin_save_product($1::jsonb)::text",
                $$"""{"product_id":"{{world.ProductId(Product)}}","credits":{{Credits}},"reason":"by the model"}"""
            )
        );
        world.Products[Product] = (Credits, false);
        foreach (var sale in world.Sales.Values.Where(sale => sale.IsKnown && sale.Product == Product))
        {
            world.Settle(sale);
        }
    }
}

/// <summary>Support gives a purchase that nobody owns to its buyer, by Apple's transaction id.</summary>
public sealed record SupportAssigns(string Name, string Who) : Command
{
    public override string Line => $"support assigns {Name} to {Who}";

    public override async Task PlayAsync(Play play)
    {
        var world = play.World;
        if (!world.Sales.TryGetValue(Name, out var sale) || !world.People.TryGetValue(Who, out var person))
        {
            return;
        }
        var outcome = await play.AsSupportAsync(
            "select admin_assign_purchase($1::jsonb)::text",
            $$"""{"transaction_id":"{{sale.TransactionId}}","user_id":"{{person.Id}}","reason":"by the model"}"""
        );
        if (!sale.IsKnown || person.Account.IsDeleted)
        {
            Play.Refused(outcome, "ERR_4007");
        }
        else if (world.OwnerOf(sale, person, isTokenHeard: false) is var owner && owner != person.Account)
        {
            Play.Refused(outcome, "ERR_4012");
        }
        else if (sale.IsCredited)
        {
            Play.Good(outcome);
        }
        else
        {
            Play.Good(outcome);
            sale.Owner = person.Account;
            world.Settle(sale);
        }
    }
}
